"""The pages of the site, a module each: what it says, and the text that comes out. Files are written by `build`."""

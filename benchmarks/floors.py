"""The two floors: what the same pages cost to read as bytes, and to parse, with the client's own HTTP library and nothing
else. Whatever an extraction takes beyond them is its own doing."""

import json
import sys
import time

import httpx2
import orjson

from benchmarks.listing import FIRST_PAGE


def read_bytes(url: str) -> dict[str, int]:
    """GET each page, follow Link, inflate, count bytes."""
    pages = size = 0
    with httpx2.Client(trust_env=False, verify=False) as client:
        address = url + FIRST_PAGE
        while address:
            response = client.get(address).raise_for_status()
            pages, size = pages + 1, size + len(response.content)
            address = response.links.get("next", {}).get("url")
    return {"pages": pages, "bytes": size}


def read_and_parse(url: str) -> dict[str, int]:
    """The same, and orjson.loads."""
    pages = size = rows = 0
    with httpx2.Client(trust_env=False, verify=False) as client:
        address = url + FIRST_PAGE
        while address:
            response = client.get(address).raise_for_status()
            rows += len(orjson.loads(response.content))
            pages, size = pages + 1, size + len(response.content)
            address = response.links.get("next", {}).get("url")
    return {"pages": pages, "bytes": size, "rows": rows}


FLOORS = {"bytes": read_bytes, "parse": read_and_parse}

if __name__ == "__main__":
    kind, base = sys.argv[1:]
    started = time.monotonic()
    told = FLOORS[kind](base)
    sys.stdout.write(json.dumps(told | {"seconds_walking": time.monotonic() - started}) + "\n")

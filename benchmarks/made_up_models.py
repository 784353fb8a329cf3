"""The made-up Hub: what each of its models is on each of its two days, as the listing's JSON.
All of it is SIMULATED from a seed and a row's number; how pages are cut from it and stored is in `pages`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.draws import Draws
from benchmarks.listing import DAYS
from benchmarks.made_up_tags import ARCHITECTURES, LIBRARIES, TASKS, TagVocabulary, words

CAPTURED = time(12, tzinfo=UTC)
MOST_MODELS = 20_000_000  # beyond, two of a day's models would be made in the same second
FEWEST_MODELS = 1_000

# The Hub's own proportions, as observed in 2025 and 2026, but for those marked as our guess.
FLOOR_CREATED = 0x621FFDC0  # 2022-03-02T23:29:04Z: what the Hub tells of all that is older
FLOOR_SHARE = 0.03  # guess
SAFETENSORS_SHARE, BASE_MODELS_SHARE = 0.38, 0.33
RELATIONS, RELATION_SHARES = ("adapter", "finetune", "quantized", "merge"), (0.43, 0.79, 0.98)
MANUAL_SHARE, AUTO_SHARE = 0.011, 0.006
NO_TASK_SHARE, NO_LIBRARY_SHARE = 0.35, 0.28  # guess
DISABLED_SHARE = 0.001  # guess
NEW_A_DAY = 2_600 / 3_000_000  # of the Hub's models
GONE_A_DAY, RENAMED_A_DAY = 2e-4, 1e-5  # the second is a guess
MOVED_SHARE = 1 / 3  # of the models have other counters on the second day
MODIFIED_SHARE = 0.004  # guess: have a new commit on the second day
MODELS_AN_OWNER = 15  # guess
# Set so that a page's tags compress about as those of 1,000 real models do: 35 to 40 bytes a model at gzip 6 and 2,600
# different tags on a day of trending models in 2026-04, 48 and 3,500 here. Drawn one by one they took 58.
RECIPES, RECIPE_SHARE = 20_000, 0.85
BUSY_DOWNLOADS = 1_000  # from here on, counters move each day

FAMILIES = words("""Llama Qwen2.5 Mistral gemma bert-base wav2vec2 whisper distilbert sdxl flux-dev ppo roberta t5 phi gpt2
vit-base mixtral deberta xlm-roberta SmolLM DeepSeek-R1-Distill falcon bge e5 yolo segformer clip musicgen my-model
test results model output checkpoint story-writer code-helper med-chat law-bert finance-llm ocr tts translator
chess-agent lunar-lander pixel-art anime-style portrait-lora sentiment ner-tagger qa-reader rag-ranker""")
SIZES = ["", *words("-7B -8B -1.5B -0.5b -large -small -13b -70B -3b -v2 -tiny _base -32B -1b")]
FLAVOURS = [
    "",
    *words(
        "-Instruct -GGUF -finetuned -lora -sft -dpo -4bit -chat -merged -AWQ -v1 _final -emotion -imdb -en -i1-GGUF"
    ),
]
FORENAMES = words("""anna ben chen dara emre fatou george hana ivan jun kofi lena mei nils olga pavel qadir rosa sofia tom
uma viktor wei xin yuki zoe lab ai nlp data team deep open neural code research micro mega hub""")
SURNAMES = words("""s k m ai x org lab tech dev io 99 kim li sun ng
mind ml bot net core 01 hub z""")

BASE36 = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
DTYPES = ("BF16", "F32", "F16", "U8", "I64", "F8_E4M3", "I32")
SCORES = ("0", *map(str, range(1, 200)), "0.7000000000000001", "1.4000000000000001", "2.1", "0.3", "35.6")


@dataclass(frozen=True)
class MadeUpHub:
    """A made-up Hub of `models` models on its first day. `rows` are models' numbers from 0, in the order of `_id`.

    The same arguments give the same bytes. Raises ValueError for fewer than a thousand or more than 20 M models.
    """

    models: int
    seed: int = 7

    def __post_init__(self) -> None:
        if not FEWEST_MODELS <= self.models <= MOST_MODELS:
            raise ValueError(f"found {self.models:,} models; expected {FEWEST_MODELS:,} to {MOST_MODELS:,}")

    @cached_property
    def draws(self) -> Draws:
        return Draws(self.seed)

    @cached_property
    def vocabulary(self) -> TagVocabulary:
        return TagVocabulary(self.draws)

    # --- the days ----------------------------------------------------------------------------------------------------

    @cached_property
    def new(self) -> int:
        """How many models the second day has at the tail that the first hasn't."""
        return max(3, round(self.models * NEW_A_DAY))

    @cached_property
    def gone(self) -> np.ndarray:
        """The rows that the second day lacks, in order."""
        return self.draws.chosen("gone", max(3, round(self.models * GONE_A_DAY)), self.models)

    @cached_property
    def renamed(self) -> np.ndarray:
        """The rows that have another name on the second day, in order."""
        rows = self.draws.chosen("renamed", max(5, round(self.models * RENAMED_A_DAY)), self.models)
        return np.setdiff1d(rows, self.gone)

    def count(self, day: int) -> int:
        """How many models are listed on day 0 or 1."""
        return self.models + day * (self.new - len(self.gone))

    def rows(self, day: int, first: int, end: int) -> np.ndarray:
        """The rows at the places `first` to `end` (not included) of a day's listing."""
        places = np.arange(first, min(end, self.count(day)))
        if day == 0:
            return places
        return places + np.searchsorted(self.gone - np.arange(len(self.gone)), places, side="right")

    def moment(self, day: int) -> int:
        """The moment of a day's capture in seconds since 1970."""
        return moment_of(DAYS[day])

    # --- who a model is ----------------------------------------------------------------------------------------------

    def created(self, rows: np.ndarray) -> np.ndarray:
        """Seconds since 1970. No two rows beyond the floor share one, so that `_id` can follow their order."""
        floor, start, end = self._floor_rows, FLOOR_CREATED + 60, self.moment(0) - 600
        share = (rows - floor + 0.9 * self.draws.unit("created", rows)) / (self.models - floor)
        grown = start + (end - start) * share.clip(0, 1) ** (2 / 3)  # more models a day, the later it is
        within = (rows - self.models + 0.9 * self.draws.unit("created", rows)) / self.new
        fresh = self.moment(0) + 60 + (self.moment(1) - self.moment(0) - 660) * within
        return np.where(rows < floor, FLOOR_CREATED, np.where(rows < self.models, grown, fresh)).astype(np.int64)

    @property
    def _floor_rows(self) -> int:
        return int(self.models * FLOOR_SHARE)

    def row_ids(self, rows: np.ndarray) -> pa.Array:
        """`_id`: the second of creation and 64 random bits; at the floor, where all seconds are one, these ascend."""
        step = 2**64 // (self._floor_rows + 1)
        random = self.draws.bits("_id", rows)
        ascending = rows.astype(np.uint64) * np.uint64(step) + random % np.uint64(step)
        rest = np.where(rows < self._floor_rows, ascending, random)
        raw = np.empty((len(rows), 12), dtype=np.uint8)
        raw[:, :4] = self.created(rows).astype(">u4").view(np.uint8).reshape(-1, 4)
        raw[:, 4:] = rest.astype(">u8").view(np.uint8).reshape(-1, 8)
        return hexadecimal(raw)

    @cached_property
    def _owner_names(self) -> pa.Array:
        count = max(50, self.models // MODELS_AN_OWNER)
        names = []
        for number in self.draws.bits("owner name", np.arange(count)).argsort().tolist():
            rest, forename = divmod(number, len(FORENAMES))
            rest, surname = divmod(rest, len(SURNAMES))
            name = FORENAMES[forename] + ("-" if number % 3 else "") + SURNAMES[surname] + (str(rest) if rest else "")
            names.append(name.title() if number % 5 == 0 else name)
        return pa.array(names)

    def owners(self, rows: np.ndarray) -> pa.Array:
        """`author`. The chance of the k-th owner falls as k to the power of -2/3."""
        return self._owner_names.take(pa.array(self.draws.below("owner", rows, len(self._owner_names), tail=3.0)))

    def names(self, rows: np.ndarray, day: int) -> pa.Array:
        """`id`: owner and name. No two are alike, whatever their upper and lower case: the row's number is in it."""
        parts = [self._drawn(name, rows, words, 1.6) for name, words in (("family", FAMILIES), ("size", SIZES))]
        digits = rows.astype(np.int64)[:, None] // 36 ** np.arange(4, -1, -1) % 36
        suffix = strings(BASE36[digits.astype(np.uint8)])
        is_renamed = np.isin(rows, self.renamed) if day else np.zeros(len(rows), dtype=bool)
        again = pa.array(["", "-renamed"]).take(pa.array(is_renamed.astype(np.int8)))
        return joined(self.owners(rows), "/", *parts, self._drawn("flavour", rows, FLAVOURS, 1.8), "-", suffix, again)

    def _drawn(self, name: str, rows: np.ndarray, words, tail: float = 1.0) -> pa.Array:
        return pa.array(words).take(pa.array(self.draws.below(name, rows, len(words), tail=tail)))

    # --- what it says on a day ---------------------------------------------------------------------------------------

    def records(self, rows: np.ndarray, day: int) -> tuple[pa.Array, dict[str, int]]:
        """Each row as a JSON object with a comma after it, and what there is of what in them: sums over the rows."""
        has_safetensors = self.has_safetensors(rows)
        base_models, parent_of, parent_words = self._base_models(rows, day)
        words = self.words(rows, has_safetensors)
        task, library = words["task"], words["library"]
        tags, tag_counts = self.vocabulary.tags(rows, self.recipes(rows), words, parent_of, parent_words)
        downloads, all_time, likes = self._counters(rows, day)
        gated, disabled = self.gates(rows), self.disabled(rows)
        modified, sha = self.last_commit(rows, day)
        records = joined(
            '{"_id":"',
            self.row_ids(rows),
            '","id":"',
            self.names(rows, day),
            '","author":"',
            self.owners(rows),
            '",',
            base_models,
            '"createdAt":"',
            _times(self.created(rows)),
            '","disabled":',
            pa.array(["false", "true"]).take(pa.array(disabled.astype(np.int8))),
            ',"downloads":',
            _numbers(downloads),
            ',"downloadsAllTime":',
            _numbers(all_time),
            ',"gated":',
            pa.array(["false", '"auto"', '"manual"']).take(pa.array(gated)),
            ',"lastModified":"',
            _times(modified),
            '",',
            _optional("library_name", LIBRARIES, library),
            '"likes":',
            _numbers(likes),
            ",",
            _optional("pipeline_tag", TASKS, task),
            '"private":false,',
            self._safetensors(rows, has_safetensors),
            '"sha":"',
            sha,
            '","tags":',
            tags,
            ',"trendingScore":',
            pa.array(SCORES).take(pa.array(self.trending(rows))),
            "},",
        )
        there_is = {
            "tags": tag_counts,
            "safetensors": has_safetensors,
            "base_models": np.unique(parent_of),
            "no_pipeline_tag": task < 0,
            "no_library_name": library < 0,
            "gated": gated > 0,
            "disabled": disabled,
            "downloads": downloads,
            "downloads_all_time": all_time,
            "likes": likes,
        }
        sums = {name: int(np.sum(values)) for name, values in there_is.items()}
        sums["base_models"] = len(there_is["base_models"])
        return records, sums

    def words(self, rows: np.ndarray, has_safetensors: np.ndarray) -> dict[str, np.ndarray]:
        """By kind of word, which of its kind each row has in a field of its own and in its tags, or -1."""
        recipes = self.recipes(rows)
        return {
            "library": self._word_or_none("library", recipes, LIBRARIES, NO_LIBRARY_SHARE),
            "weights": np.where(has_safetensors, 0, -1),
            "architecture": self._word_or_none("architecture", recipes, ARCHITECTURES, 0.38),
            "task": self._word_or_none("task", recipes, TASKS, NO_TASK_SHARE),
        }

    def gates(self, rows: np.ndarray) -> np.ndarray:
        """0 for a row that isn't gated, 1 for auto, 2 for manual."""
        gate = self.draws.unit("gated", rows)
        return np.select([gate < MANUAL_SHARE, gate < MANUAL_SHARE + AUTO_SHARE], [2, 1], 0)

    def disabled(self, rows: np.ndarray) -> np.ndarray:
        return self.draws.unit("disabled", rows) < DISABLED_SHARE

    def recipes(self, rows: np.ndarray) -> np.ndarray:
        """What each row's words are drawn by: for most the number of a recipe shared with others, else one of its own.

        Nearly all of the Hub is made by a few tools that tag alike; drawn one by one, tags would compress far worse
        than the real ones do.
        """
        shared = self.draws.below("recipe", rows, RECIPES, tail=3.0)
        return np.where(self.draws.unit("is made by recipe", rows) < RECIPE_SHARE, shared, rows + RECIPES)

    def _word_or_none(self, name: str, rows: np.ndarray, words, none_share: float) -> np.ndarray:
        is_there = self.draws.unit(f"{name}/any", rows) >= none_share
        return np.where(is_there, self.draws.below(name, rows, len(words), tail=2.2), -1)

    def _counters(self, rows: np.ndarray, day: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`downloads`, `downloadsAllTime`, `likes`. A new model begins at nothing."""
        month = self._usual_downloads(rows).astype(np.int64)
        month = np.where(rows >= self.models, 0, month)
        age = 1 + self.draws.unit("age", rows) * 24
        all_time = (month * age).astype(np.int64)
        likes = (0.08 * month**0.45 * np.exp(1.3 * self.draws.normal("likes", rows))).astype(np.int64)
        if day:
            has_moved = self.has_moved(rows)
            usual = month // 30
            more = has_moved * (1 + (usual * (0.5 + self.draws.unit("more", rows))).astype(np.int64))
            month = np.maximum(month + more - has_moved * usual, 0)
            all_time += more
            likes += has_moved & (self.draws.unit("liked", rows) < 0.03)
        return month, all_time, likes

    def _usual_downloads(self, rows: np.ndarray) -> np.ndarray:
        """A few for most, a thousand and more for one in forty."""
        return np.exp(1.0 + 3.0 * self.draws.normal("downloads", rows)).clip(0, 2e8)

    def has_moved(self, rows: np.ndarray) -> np.ndarray:
        """Whether the counters of a row of the first day are others on the second: a third of all, the busy ones all."""
        is_busy = self._usual_downloads(rows) >= BUSY_DOWNLOADS
        return (is_busy | (self.draws.unit("moved", rows) < MOVED_SHARE)) & (rows < self.models)

    def last_commit(self, rows: np.ndarray, day: int) -> tuple[np.ndarray, pa.Array]:
        """`lastModified` in seconds since 1970, most of them soon after the creation, and `sha`."""
        created = self.created(rows)
        until = np.where(rows < self.models, self.moment(0), self.moment(1)) - 300
        modified = created + ((until - created) ** self.draws.unit("lastModified", rows)).astype(np.int64)
        commit = rows.astype(np.int64)
        if day:
            is_modified = (self.draws.unit("modified", rows) < MODIFIED_SHARE) & (rows < self.models)
            today = self.moment(0) + (86_000 * self.draws.unit("today", rows)).astype(np.int64)
            modified, commit = np.where(is_modified, today, modified), np.where(is_modified, rows + 2**40, commit)
        return modified, self.shas(commit)

    def shas(self, commits: np.ndarray) -> pa.Array:
        """The hash of each commit, by its number."""
        raw = np.stack([self.draws.bits(f"sha/{part}", commits) for part in range(3)], axis=1).view(np.uint8)
        return hexadecimal(np.ascontiguousarray(raw[:, :20]))

    def _base_models(self, rows: np.ndarray, day: int) -> tuple[pa.Array, np.ndarray, tuple[pa.Array, pa.Array]]:
        """The field `baseModels` or nothing for each row; the position of the row of each parent; its two tags.

        Tags keep the parent's first name, as they were written once; `baseModels` follows a rename.
        """
        relation, parent_of, parents = self.lineage(rows)
        has_parent = np.zeros(len(rows), dtype=bool)
        has_parent[parent_of] = True
        first_names = self.names(parents, 0)
        names = self.names(parents, day) if day else first_names
        references = joined('{"_id":"', self.row_ids(parents), '","id":"', names, '"}')
        lists = pa.ListArray.from_arrays(pa.array(list_offsets(len(rows), parent_of)), references)
        openings = pa.array(["", *(f'"baseModels":{{"relation":"{name}","models":[' for name in RELATIONS)])
        which = pa.array(np.where(has_parent, relation + 1, 0))
        closings = pa.array(["", "]},"]).take(pa.array(has_parent.astype(np.int8)))
        words = lineage_words(relation, parent_of, first_names)
        return joined(openings.take(which), pc.binary_join(lists, ","), closings), parent_of, words

    def lineage(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each row the place of its relation in `RELATIONS`, which means nothing where it has no parent; of each parent
        the position of its child in `rows`, and its own row.

        A parent is an older model out of one in a hundred, some of them far likelier than others; a merge has two.
        """
        candidates = rows // 100
        has_parent = (self.draws.unit("base", rows) < BASE_MODELS_SHARE) & (candidates > 1)
        relation = np.searchsorted(RELATION_SHARES, self.draws.unit("relation", rows), side="right")
        parent_of, is_second = children(has_parent, relation)
        place = candidates[parent_of] * self.draws.unit("parent", rows[parent_of]) ** 4
        return relation, parent_of, 100 * (place.astype(np.int64) // 2 * 2 + is_second) + 37

    def has_safetensors(self, rows: np.ndarray) -> np.ndarray:
        return self.draws.unit("safetensors", rows) < SAFETENSORS_SHARE

    def parameters(self, rows: np.ndarray) -> np.ndarray:
        """Parameters in a row's main number format; models of one architecture have exactly as many."""
        classes = self.draws.below("architecture size", rows, 150, tail=2.0)
        is_usual = self.draws.unit("usual size", rows) < 0.7
        size = np.exp(20 + 2 * self.draws.normal("size", np.where(is_usual, classes, rows + 1000)))
        return size.clip(1e4, 1e12).astype(np.int64)

    def parameters_by_format(self, rows: np.ndarray) -> tuple[pa.Array, np.ndarray]:
        """What safetensors would say of each row: parameters by number format as a JSON object, and their total."""
        main = self.parameters(rows)
        second = np.where(self.draws.unit("second format", rows) < 0.12, main // 97 + 1, 0)
        formats = self.draws.below("format", rows, len(DTYPES), tail=2.0)
        others = (formats + 1) % len(DTYPES)
        extra = joined(pa.array([f',"{name}":' for name in DTYPES]).take(pa.array(others)), _numbers(second))
        extra = pc.if_else(pa.array(second > 0), extra, "")
        opening = pa.array([f'{{"{name}":' for name in DTYPES]).take(pa.array(formats))
        return joined(opening, _numbers(main), extra, "}"), main + second

    def _safetensors(self, rows: np.ndarray, has_safetensors: np.ndarray) -> pa.Array:
        by_format, total = self.parameters_by_format(rows)
        whole = joined('"safetensors":{"parameters":', by_format, ',"total":', _numbers(total), "},")
        return pc.if_else(pa.array(has_safetensors), whole, "")

    def trending(self, rows: np.ndarray) -> np.ndarray:
        """The place in `SCORES` of `trendingScore`: nothing for nearly all, whole numbers for most others, and now and then a
        fraction."""
        scores = 1 + self.draws.below("trending", rows, len(SCORES) - 1, tail=2.0)
        return np.where(self.draws.unit("trends", rows) < 0.03, scores, 0)


def moment_of(day: date) -> int:
    """When a day is captured, in seconds since 1970."""
    return round(datetime.combine(day, CAPTURED).timestamp())


def joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values).cast(pa.string())


def _times(seconds: np.ndarray) -> pa.Array:
    """As the Hub writes them: with milliseconds, which are always none."""
    text = pa.array(seconds).cast(pa.timestamp("s")).cast(pa.string())
    return joined(pc.binary_replace_slice(text, 10, 11, "T"), ".000Z")


def _optional(name: str, words: list[str], places: np.ndarray) -> pa.Array:
    fields = pa.array(["", *(f'"{name}":"{word}",' for word in words)])
    return fields.take(pa.array(places + 1))


def children(has_parent: np.ndarray, relation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The position of the child of each parent, and whether it is that child's second: a merge has two."""
    positions = np.flatnonzero(has_parent)
    parent_of = np.repeat(positions, np.where(relation[positions] == RELATIONS.index("merge"), 2, 1))
    return parent_of, np.diff(parent_of, prepend=-1) == 0


def list_offsets(count: int, parent_of: np.ndarray) -> np.ndarray:
    """Where the list of each of `count` rows begins, and the last one ends."""
    return np.concatenate([[0], np.cumsum(np.bincount(parent_of, minlength=count))]).astype(np.int32)


def lineage_words(relation: np.ndarray, parent_of: np.ndarray, names: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The two tags that name each parent."""
    related = pa.array(RELATIONS).take(pa.array(relation[parent_of]))
    return joined("base_model:", names), joined("base_model:", related, ":", names)


def strings(characters: np.ndarray) -> pa.Array:
    """Strings of one length, from a matrix of ASCII characters."""
    count, length = characters.shape
    offsets = np.arange(0, (count + 1) * length, length, dtype=np.int32)
    text = np.ascontiguousarray(characters)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))


def hexadecimal(raw: np.ndarray) -> pa.Array:
    """Each row of a matrix of bytes as lower-case hex digits."""
    text = np.frombuffer(raw.tobytes().hex().encode(), dtype=np.uint8)
    return strings(text.reshape(len(raw), 2 * raw.shape[1]))

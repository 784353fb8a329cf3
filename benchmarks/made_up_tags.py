"""The words of the made-up Hub: tasks, libraries, licences, languages, and the vocabulary its models are tagged with.
Which model has which of them is drawn here too; what else a model has is in `made_up_models`."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.draws import Draws


def words(text: str) -> list[str]:
    """One between two blanks: such lists are easier to read than so many quotes."""
    return text.split()


# The Hub's own words, the likeliest first; shares fall as `tail` says where they are drawn.
TASKS = words("""text-generation text-to-image text-classification reinforcement-learning token-classification
automatic-speech-recognition image-classification feature-extraction sentence-similarity text-to-speech
image-text-to-text question-answering translation fill-mask text2text-generation object-detection summarization
image-to-image image-segmentation text-to-video audio-classification zero-shot-classification robotics
any-to-any depth-estimation tabular-classification image-feature-extraction audio-to-audio image-to-video
video-classification visual-question-answering text-ranking mask-generation time-series-forecasting""")
LIBRARIES = words("""transformers peft diffusers llama.cpp stable-baselines3 sentence-transformers timm mlx ml-agents setfit
keras lerobot adapter-transformers sample-factory spacy fasttext pytorch-lightning ultralytics nemo open_clip flair
speechbrain vllm exllamav2 mlc-llm transformers.js sklearn unity-sentis bertopic espnet pyannote-audio""")
ARCHITECTURES = words("""llama qwen2 bert mistral gemma2 qwen3 roberta gpt2 wav2vec2 distilbert whisper vit t5 gemma3
phi3 qwen2_vl xlm-roberta mixtral bart deberta-v2 gpt_neox falcon mt5 marian clip siglip qwen2_5_vl olmo2 speecht5
segformer detr swin convnext albert electra bloom opt cohere stablelm starcoder2 mamba glm4 deepseek_v3 vits
layoutlmv3 longformer mpnet camembert blip paligemma smolvlm internvl_chat""")
LICENSES = words("""apache-2.0 mit other openrail creativeml-openrail-m llama3 cc-by-nc-4.0 llama3.1 gemma llama2 cc-by-4.0
llama3.2 cc-by-nc-sa-4.0 cc-by-sa-4.0 afl-3.0 unknown bigscience-openrail-m gpl-3.0 cc-by-nc-nd-4.0 cc0-1.0
bsd-3-clause agpl-3.0 bigscience-bloom-rail-1.0 bigcode-openrail-m artistic-2.0 wtfpl cc openrail++ unlicense
eupl-1.1 lgpl-3.0 mpl-2.0 isc osl-3.0 ms-pl zlib""")
LANGUAGES = words("""en zh fr de es ru ja ko it pt ar hi vi tr nl id pl th fa sv uk cs fi ro da bn he el ta hu ur no bg ca
ms te sw sr ml hr mr lt et sl kn sk gu ne lv az mk is my eu af km sq gl ka pa am hy be mn kk cy si lo tg uz ps sd
multilingual yo ha ig so zu xh rw sn mg ceb tl jv su ky tt ga mt lb gd fo br oc la eo yi sa bo dz""")
FORMATS = words("pytorch tensorboard gguf onnx tf jax bin joblib openvino coreml tflite")
HABITS = words("""generated_from_trainer text-generation-inference endpoints_compatible autotrain_compatible conversational
unsloth trl sft lora model-index merge mergekit deep-reinforcement-learning custom_code 4-bit 8-bit bitsandbytes
imatrix stable-diffusion stable-diffusion-diffusers template:sd-lora dreambooth has_space quantized awq gptq dpo grpo
diffusers:StableDiffusionPipeline axolotl llama-factory flux alignment-handbook eval-results arxiv""")
SYLLABLES = words("ka ri mo tel an su vor ne il qua dro fen ly bas ost mi ra co ze phi lun tar vex ode gra sil")
OTHER_SCRIPTS = [
    "中文对话",
    "日本語",
    "한국어",
    "роль",
    "العربية",
    "हिन्दी",
    "ролевая игра",
    "漫画風",
    "modèle français",
    "größe",
]

DATASETS, PAPERS, CUSTOM = 20_000, 15_000, 60_000
QUOTED_COMMA = '","'


def custom_word(number: int) -> str:
    """A tag that someone made up: one or two words, with spaces, upper case and other scripts now and then."""
    parts, rest = [], number
    while rest or not parts:
        parts.append(SYLLABLES[rest % len(SYLLABLES)])
        rest //= len(SYLLABLES)
    word = "".join(parts)
    if number % 29 == 7:
        return f"{OTHER_SCRIPTS[number // 29 % len(OTHER_SCRIPTS)]} {number}"
    if number % 11 == 3:
        return f"{word} {SYLLABLES[number % 7]}{SYLLABLES[number % 13]}"
    return word.upper() if number % 17 == 5 else f"{word}-{SYLLABLES[number % 19]}" if number % 3 else word


@dataclass(frozen=True)
class TagVocabulary:
    """All words that tags are drawn from, each of one kind, as they stand inside JSON strings, and where each kind begins."""

    draws: Draws

    @cached_property
    def sections(self) -> dict[str, range]:
        """Kind of word → its places in `words`."""
        sections, start = {}, 0
        for name, kind in self._kinds.items():
            sections[name] = range(start, start + len(kind))
            start += len(kind)
        return sections

    @cached_property
    def words(self) -> pa.StringArray:
        """Without quotes around them."""
        return pa.array([orjson.dumps(word).decode()[1:-1] for kind in self._kinds.values() for word in kind])

    @cached_property
    def _kinds(self) -> dict[str, list[str]]:
        months = self.draws.below("papers/month", np.arange(PAPERS), 120).tolist()
        numbers = self.draws.below("papers/number", np.arange(PAPERS), 20_000).tolist()
        return {
            "library": LIBRARIES,
            "weights": ["safetensors"],
            "format": FORMATS,
            "architecture": ARCHITECTURES,
            "task": TASKS,
            "language": LANGUAGES,
            "dataset": [f"dataset:{custom_word(3 * n)}/{custom_word(7 * n + 1)}_{n}" for n in range(DATASETS)],
            "paper": list(
                dict.fromkeys(
                    f"arxiv:{16 + m // 12}{m % 12 + 1:02d}.{n:05d}" for m, n in zip(months, numbers, strict=True)
                )
            ),
            "license": [f"license:{name}" for name in LICENSES],
            "habit": HABITS,
            "custom": [custom_word(number) for number in range(100, 100 + CUSTOM)],
            "region": ["region:us", "region:eu"],
        }

    def tags(
        self,
        rows: np.ndarray,
        recipes: np.ndarray,
        own: dict[str, np.ndarray],
        parent_of: np.ndarray,
        parent_words: tuple[pa.Array, ...],
    ) -> tuple[pa.Array, np.ndarray]:
        """The `tags` of each row as a JSON list, and how many there are. What they are drawn from is told in `tag_lists`."""
        lists = self.tag_lists(rows, recipes, own, parent_of, parent_words)
        counts = pc.list_value_length(lists).to_numpy()
        return pc.binary_join_element_wise('["', pc.binary_join(lists, QUOTED_COMMA), '"]', ""), counts

    def tag_lists(
        self,
        rows: np.ndarray,
        recipes: np.ndarray,
        own: dict[str, np.ndarray],
        parent_of: np.ndarray,
        parent_words: tuple[pa.Array, ...],
    ) -> pa.ListArray:
        """The tags of each of at most 65,536 rows, as they stand inside JSON strings.

        Rows of one number in `recipes` have most of their words in common; licences are a row's own.
        `own` has, by kind, the word's place in its kind for each row, or -1: what other fields of the row say as well.
        `parent_of` has, for each parent, the position in `rows` of its child, and each of `parent_words` a word for it.
        """
        sections = [
            (np.flatnonzero(places >= 0), places[places >= 0] + self._start(kind)) for kind, places in own.items()
        ]
        sections += [self._several("format", recipes, self._few(recipes, "format", 0.48), tail=2.0)]
        sections += [self._several("language", recipes, self._language_count(recipes), tail=3.0)]
        sections += [self._several("dataset", recipes, self._few(recipes, "dataset", 0.38), tail=4.0)]
        sections += [self._several("paper", recipes, self._few(recipes, "paper", 0.35), tail=3.0)]
        words = self.words
        for parents in parent_words:
            sections.append((parent_of, len(words) + np.arange(len(parents))))
            words = pa.concat_arrays([words, parents])
        sections += [self._several("license", rows, self._few(rows, "license", 0.4, most=2), tail=4.0)]
        sections += [self._several("habit", recipes, self._few(recipes, "habit", 0.735), tail=1.6)]
        sections += [self._several("custom", recipes, self._custom_count(recipes), tail=7.0)]
        region = (self.draws.unit("region", rows) < 0.002).astype(np.int64)
        sections.append((np.arange(len(rows)), region + self._start("region")))
        return _lists(len(rows), sections, words)

    def _start(self, kind: str) -> int:
        return self.sections[kind].start

    def _few(self, rows: np.ndarray, kind: str, more: float, most: int = 12) -> np.ndarray:
        """None, one or a few of a kind: each further one with the chance `more`."""
        few = np.log1p(-self.draws.unit(f"{kind}/count", rows)) / np.log(more)
        return np.minimum(few.astype(np.int64), most)

    def _language_count(self, rows: np.ndarray) -> np.ndarray:
        """None for 45 %, one for 45 %, a few for 9 %, up to a hundred for the rest."""
        share = self.draws.unit("language/count", rows)
        many = 2 + self.draws.below("language/many", rows, 98, tail=4.0)
        few = 2 + self.draws.below("language/few", rows, 8, tail=2.0)
        return np.select([share < 0.45, share < 0.9, share < 0.99], [0, 1, few], many)

    def _custom_count(self, rows: np.ndarray) -> np.ndarray:
        """None for 40 %; the others have a heavy tail of up to 120."""
        share = self.draws.unit("custom/count", rows)
        return np.where(share < 0.4, 0, np.minimum(120, (2.1 * (1 - share).clip(0.002) ** -0.62).astype(np.int64)))

    def _several(self, kind: str, rows: np.ndarray, counts: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
        """Positions of rows and places of words: `counts` draws a row, a word that is drawn twice taken once."""
        positions = np.repeat(np.arange(len(rows)), counts)
        which = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts, counts)
        section = self.sections[kind]
        places = section.start + self.draws.below(kind, rows[positions] * 128 + which, len(section), tail=tail)
        is_first = which == 0
        if is_first.all():
            return positions, places
        pairs = np.unique(positions << 32 | places)
        return pairs >> 32, pairs & 0xFFFFFFFF


def _lists(count: int, sections: list[tuple[np.ndarray, np.ndarray]], words: pa.Array) -> pa.ListArray:
    """A list a row, its words in the order of the sections."""
    positions = np.concatenate([section[0] for section in sections]).astype(np.uint16)  # 16 bits sort ten times as fast
    places = np.concatenate([section[1] for section in sections])
    order = np.argsort(positions, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(positions, minlength=count))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), words.take(pa.array(places[order])))

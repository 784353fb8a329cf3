"""The vocabulary of everything made up: names, tasks, licences, formats, each with the weight it is drawn with. The
weights are plausible, not measured, and none of them knows of countries; what is done with them belongs elsewhere."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def _words(text: str) -> list[str]:
    return text.split()


ADJECTIVES = _words(
    """
    amber ashen autumn azure bold brisk bronze calm cedar clever coral crisp dapper dusky eager early fern fleet
    frosty gentle golden hazel hidden humble indigo ivory jolly keen late lively lunar mellow mild misty mossy
    noble olive opal pale plain proud quick quiet rapid ruby rustic sandy silent silver sleek smoky solar spry
    steady stormy sunny swift tidy umber velvet vivid warm wild windy young zesty
    """
)
ANIMALS = _words(
    """
    badger bittern bream civet cormorant crane curlew dingo dormouse eider ermine falcon ferret finch fox gannet
    gecko goshawk grebe harrier heron hoopoe ibex ibis jackdaw jay kestrel kite lapwing lark lemur linnet lynx
    magpie marten merlin mink moth newt nuthatch ocelot oriole otter owl petrel pika pipit plover puffin quail
    raven robin rook sable serval shrew siskin skua snipe sparrow starling stoat stork swift tapir teal tern
    thrush vole wader weasel wren
    """
)
FAMILY_WORDS = _words(
    """
    Osprey Kestrel Heron Juniper Basalt Cobalt Saffron Tundra Lagoon Meridian Zephyrine Quartz Alder Bramble
    Cinder Driftwood Ember Fathom Granite Harbor Islet Jasper Kelp Larch Moraine Nimbus Obsidian Pumice Quill
    Rowan Sorrel Thistle Umbra Verdigris Willow Yarrow Zinnia Aster Beacon Cairn Delta Estuary Fjord Glacier
    Hollow Inlet Juncus Karst Limestone Marlin Nettle Oxbow Prairie Ravine Scree Tarn Upland Vireo Wharf
    """
)
# Part of a model's name that changes what it is for, and so its family.
PURPOSES = {"text-generation": ["Coder", "Math", "Guard"], "image-text-to-text": ["VL"], "any-to-any": ["Omni"]}
PURPOSES |= {"feature-extraction": ["Embedding"], "automatic-speech-recognition": ["ASR"], "text-to-speech": ["TTS"]}


@dataclass(frozen=True)
class Task:
    """A pipeline tag with the library that usually goes with it and its weight when drawn; sizes in parameters."""

    pipeline_tag: str
    library_name: str
    weight: float
    smallest: float
    largest: float


def _tasks(table: str) -> tuple[Task, ...]:
    cells = (line.split() for line in table.strip().splitlines())
    return tuple(
        Task(tag, library, float(weight), float(low), float(high)) for tag, library, weight, low, high in cells
    )


TEXT_TASKS = _tasks(
    """
    text-generation              transformers           60  1e8 4e11
    image-text-to-text           transformers           14  5e8 2e11
    feature-extraction           sentence-transformers   6  2e7 8e9
    sentence-similarity          sentence-transformers   4  2e7 8e9
    text-to-speech               transformers            4  3e7 4e9
    automatic-speech-recognition transformers            4  4e7 3e9
    translation                  transformers            2  6e7 4e9
    any-to-any                   transformers            2  2e9 1e11
    """
)
ALL_TASKS = TEXT_TASKS + _tasks(
    """
    text-to-image                  diffusers       12  8e8 3e10
    image-to-image                 diffusers        5  8e8 3e10
    text-to-video                  diffusers        4  1e9 3e10
    image-to-video                 diffusers        4  1e9 3e10
    video-to-video                 diffusers        1  1e9 2e10
    image-text-to-image            diffusers        1  1e9 2e10
    image-text-to-video            diffusers        1  1e9 2e10
    unconditional-image-generation diffusers        1  1e7 1e9
    text-to-audio                  transformers     1  1e8 4e9
    audio-to-audio                 speechbrain      1  1e7 2e9
    audio-classification           transformers     2  2e7 1e9
    audio-text-to-text             transformers     1  5e8 3e10
    voice-activity-detection       pyannote-audio   1  1e6 1e8
    text-ranking                   transformers     1  2e7 8e9
    fill-mask                      transformers     5  1e7 1e9
    text-classification            transformers     9  1e7 1e9
    token-classification           transformers     4  1e7 1e9
    question-answering             transformers     2  1e7 1e9
    table-question-answering       transformers     1  1e7 1e9
    zero-shot-classification       transformers     1  5e7 1e9
    summarization                  transformers     1  6e7 1e9
    image-classification           timm             5  5e6 1e9
    image-feature-extraction       timm             1  1e7 7e9
    image-segmentation             transformers     2  1e7 1e9
    mask-generation                transformers     1  3e7 1e9
    object-detection               ultralytics      2  3e6 5e8
    depth-estimation               transformers     1  2e7 1e9
    keypoint-detection             transformers     1  5e6 5e8
    zero-shot-image-classification open_clip        1  1e8 5e9
    zero-shot-object-detection     transformers     1  1e8 2e9
    image-to-text                  transformers     1  1e8 9e9
    image-to-3d                    hunyuan3d-2      1  5e8 5e9
    text-to-3d                     diffusers        1  5e8 5e9
    video-classification           transformers     1  5e7 2e9
    video-text-to-text             transformers     1  1e9 8e10
    visual-question-answering      transformers     1  1e8 9e9
    document-question-answering    transformers     1  1e8 2e9
    visual-document-retrieval      transformers     1  2e9 9e9
    tabular-classification         sklearn          1  1e6 1e8
    tabular-regression             sklearn          1  1e6 1e8
    time-series-forecasting        transformers     1  5e6 1e9
    reinforcement-learning         stable-baselines3 5 1e4 1e7
    robotics                       lerobot          2  1e8 5e9
    graph-ml                       transformers     1  1e6 1e8
    """
)
LICENSES = {
    None: 30.0, "apache-2.0": 34.0, "mit": 14.0, "other": 7.0, "openrail": 3.0, "creativeml-openrail-m": 3.0,
    "llama3.1": 2.0, "gemma": 2.0, "cc-by-nc-4.0": 2.0, "llama3.2": 1.0, "llama2": 1.0, "cc-by-4.0": 1.0,
    "cc-by-nc-sa-4.0": 1.0, "gpl-3.0": 1.0, "agpl-3.0": 0.5, "bsd-3-clause": 0.5, "cc0-1.0": 0.3, "unknown": 0.3,
    "bigscience-bloom-rail-1.0": 0.3, "sandbox-odd-terms": 0.1,
}  # fmt: skip
DATASETS = ("sim-corpus/plain-text", "sim-corpus/instructions", "sim-corpus/dialogues", "sim-corpus/pictures")
PUBLISHED_SIZES = (0.1, 0.3, 0.6, 1, 1.5, 2, 3, 4, 7, 8, 9, 12, 14, 20, 24, 30, 32, 70, 72, 120, 235, 400, 671)


def pick(rng: np.random.Generator, weights: dict[str | None, float], count: int) -> pa.Array:
    """`count` of the keys of `weights`, drawn with their weights."""
    shares = np.array(list(weights.values()))
    drawn = rng.choice(len(shares), size=count, p=shares / shares.sum())
    return pa.array(list(weights), pa.string()).take(pa.array(drawn))


def words(rng: np.random.Generator, vocabulary: list[str], count: int) -> pa.Array:
    return pa.array(vocabulary, pa.string()).take(pa.array(rng.integers(0, len(vocabulary), count)))


def joined(separator: str, *parts: pa.Array | str) -> pa.Array:
    """The parts of each row with `separator` between them; a null part is left out."""
    return pc.binary_join_element_wise(*parts, separator, null_handling="skip")

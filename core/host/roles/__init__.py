"""The roles of a plugin. A plugin is a class with a name, a summary, ``Options`` and a few methods.

Nothing here imports NumPy or an engine: a plugin file should do the same, and import heavy libraries
inside its methods, so that ``tonesmith --help`` and ``tonesmith plugins`` stay quick.
"""

from tonesmith.host.roles.annotation import Annotation
from tonesmith.host.roles.annotator import Annotator, Recorded, Subject
from tonesmith.host.roles.augmenter import Augmenter, Parameters, Relabelled, Unsuited
from tonesmith.host.roles.backend import Backend
from tonesmith.host.roles.base import Options, Plugin
from tonesmith.host.roles.composer import Composed, Composer
from tonesmith.host.roles.executor import Executor
from tonesmith.host.roles.feature import Feature
from tonesmith.host.roles.importer import Found, Importer, Refused
from tonesmith.host.roles.model import Frames, Grows, Material, Model
from tonesmith.host.roles.reader import Divided, Reader
from tonesmith.host.roles.sampler import Sampler
from tonesmith.host.roles.score_feature import ScoreFeature
from tonesmith.host.roles.sink import FileSet, Footprint, Sink
from tonesmith.host.roles.storage import Storage
from tonesmith.host.roles.validator import Validator

__all__ = [
    "Annotation",
    "Annotator",
    "Augmenter",
    "Backend",
    "Composed",
    "Composer",
    "Divided",
    "Executor",
    "Feature",
    "FileSet",
    "Footprint",
    "Found",
    "Frames",
    "Grows",
    "Importer",
    "Material",
    "Model",
    "Options",
    "Parameters",
    "Plugin",
    "Reader",
    "Recorded",
    "Refused",
    "Relabelled",
    "Sampler",
    "ScoreFeature",
    "Sink",
    "Storage",
    "Subject",
    "Unsuited",
    "Validator",
]

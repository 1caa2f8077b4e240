"""Text prompts as classifiers: label sets, policies, ensembles, thresholds, decisions."""

from labels.background import Kind, LabelBackground, backgrounds, label_bias
from labels.calibrated import (
    calibration_name,
    deciles,
    drift_notice,
    label_calibration,
    policy_calibration,
    population_stability,
    with_thresholds,
)
from labels.calibration import (
    Goal,
    PrecisionRecall,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    reliability,
    robust_threshold,
    threshold_of_unknown,
    threshold_without_examples,
)
from labels.classifier import Classifier, LabelAnswer, Likely, Scale
from labels.decisions import Judge, starter_policy, with_decision
from labels.disagreements import Disagreement, disagreements, disputed_products
from labels.judging import IndexJudged, Progress, ended, judge_index, policy_judge
from labels.labeller import Labeller
from labels.labelling import Comparison, IndexLabelled, anything_unlabelled, label_index, label_products
from labels.policies import STRICTNESS, Line, Moderator, judge
from labels.prompts import TEMPLATES, Node, PromptEncoder, ensemble, label_nodes
from labels.review import appeal, decisions, hidden_actions, is_hidden, queue
from labels.subjects import Decode
from labels.tags import (
    Tagger,
    field_of_labels,
    label_names,
    only_value,
    predicted_fields,
    predictions,
    sets_of,
    text_fields,
    with_label_sets,
    with_predictions,
)

__all__ = [
    "STRICTNESS",
    "TEMPLATES",
    "Classifier",
    "Comparison",
    "Decode",
    "Disagreement",
    "Goal",
    "IndexJudged",
    "IndexLabelled",
    "Judge",
    "Kind",
    "LabelAnswer",
    "LabelBackground",
    "Labeller",
    "Likely",
    "Line",
    "Moderator",
    "Node",
    "PrecisionRecall",
    "Progress",
    "PromptEncoder",
    "Scale",
    "Tagger",
    "anything_unlabelled",
    "appeal",
    "backgrounds",
    "calibration_name",
    "deciles",
    "decisions",
    "disagreements",
    "disputed_products",
    "drift_notice",
    "ended",
    "ensemble",
    "expected_calibration_error",
    "field_of_labels",
    "fit_temperature",
    "hidden_actions",
    "is_hidden",
    "judge",
    "judge_index",
    "label_bias",
    "label_calibration",
    "label_index",
    "label_names",
    "label_nodes",
    "label_products",
    "log_loss",
    "only_value",
    "policy_calibration",
    "policy_judge",
    "population_stability",
    "predicted_fields",
    "predictions",
    "queue",
    "reliability",
    "robust_threshold",
    "sets_of",
    "starter_policy",
    "text_fields",
    "threshold_of_unknown",
    "threshold_without_examples",
    "with_decision",
    "with_label_sets",
    "with_predictions",
    "with_thresholds",
]

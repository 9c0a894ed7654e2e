"""What is healthy, the thirteen faults, and which causes are right for each.

A case is one faulty run and the healthy configuration it was made from: the same data, seed and
budget. Cases of a fault go through its data sets, their variants and the seeds 1 … 5 in turn.
"""
import copy

CASES = 20
SEEDS = (1, 2, 3, 4, 5)


def net(width, depth, activation="relu", **model):
    return {"width": width, "depth": depth, "activation": activation, **model}


def lstm(width):
    return {"type": "lstm", "width": width, "depth": 1}


def adam(rate, **train):
    return {"learning_rate": rate, **train}


def momentum(rate, **train):
    return {"optimizer": "momentum", "learning_rate": rate, **train}


WAVES = [(lstm(24), adam(0.003, batch_size=16, clip="global_norm"), 15),
         (lstm(16), adam(0.004, batch_size=16, clip="global_norm"), 18)]
# Healthy variants of each data set: model, training, epochs. All of them still learn or lie at
# their floor at the end (the bench counts how often one is called sick).
HEALTHY = {
    "fashion": [(net(64, 2), adam(0.001), 8),
                (net(32, 1), adam(0.002), 9),
                (net(64, 1), momentum(0.012), 8),
                (net(64, 2, "tanh"), {"optimizer": "rmsprop", "learning_rate": 0.0008}, 6)],
    "digits": [(net(64, 2), adam(0.004, l2=0.001), 12),
               (net(32, 1), adam(0.01, l2=0.001), 12),
               (net(64, 1), momentum(0.06, l2=0.001), 15),
               (net(48, 2, "elu"), adam(0.006, l2=0.001), 12)],
    "cancer": [(net(16, 1), adam(0.02, l2=0.02), 8),
               (net(16, 2), adam(0.02, l2=0.02), 8),
               (net(8, 1), momentum(0.06, l2=0.02), 10),
               (net(16, 1, "tanh"), adam(0.02, l2=0.02), 8)],
    "friedman": [(net(32, 2), adam(0.012), 20),
                 (net(64, 1), adam(0.02), 20),
                 (net(32, 2), momentum(0.03), 20),
                 (net(32, 2, "tanh"), adam(0.01), 20)],
    "waves2": WAVES, "waves3": WAVES, "waves4": WAVES,
}
RELU = {"fashion": [0, 1, 2], "digits": [0, 1, 2], "cancer": [0, 1, 2], "friedman": [0, 1, 2]}
ALL = {name: list(range(len(HEALTHY[name]))) for name in ("fashion", "digits", "cancer", "friedman")}
STEEP = {"fashion": [1, 2, 3], "digits": [2, 3], "cancer": [2], "friedman": [1, 2, 3]}
CLASSES = {k: ALL[k] for k in ("fashion", "digits", "cancer")}


# Data on which 200 samples do not determine a large net; the modest one beside it is healthy.
FEW = {"fashion": (net(32, 1), adam(0.002, batch_size=16), 20),
       "cancer": (net(32, 1), adam(0.003, batch_size=16), 10),
       "diabetes": (net(32, 1), adam(0.0015, batch_size=16), 35),
       "clouds": (net(32, 1), adam(0.003, batch_size=16), 15)}


class Plan:
    """What becomes a spec: data set and its change, settings, and how the run is measured."""

    def __init__(self, data, variant, seed):
        model, train, epochs = copy.deepcopy(
            HEALTHY[data][variant] if variant is not None else FEW[data])
        self.data, self.seed, self.epochs = data, seed, epochs
        self.change, self.change_seed = "plain", 0
        self.model, self.train = model, {"batch_size": 32, **train}
        self.settings = {}          # of data
        self.parameters = None      # swept beside the learning rate
        self.own_validation = 0     # so many of the training part instead of the fixed set
        self.wanted = {}            # which run of the sweep is the faulty one

    def key(self):
        """The same for plans that differ in the seed alone."""
        return repr(sorted((k, v) for k, v in vars(self).items() if k != "seed"))


# ------------------------------------------------------------------ the faults

def nan_cells(plan, i):
    plan.change, plan.change_seed = ("one_nan", "nans", "one_inf", "nans")[i % 4], i


def sorted_by_class(plan, i):
    plan.change = "by_class"
    plan.train["shuffle"] = False


def tiny_batch(plan, i):
    """2 only where the optimizer does not make up for it (Adam's steps shrink with the noise)."""
    plain = plan.train.get("optimizer") == "momentum"
    plan.train["batch_size"] = 2 if plain and plan.seed % 2 == 0 else 1


def rate_30(plan, i):
    plan.train["learning_rate"] *= 30


def rate_1000th(plan, i):
    plan.train["learning_rate"] /= 1000


def sigmoid_25(plan, i):
    """Every other one beside a shallow sibling (G3.4)."""
    plan.model.update(depth=25, activation="sigmoid")
    if i % 2:
        del plan.model["depth"]
        plan.parameters, plan.wanted = {"depth": {"values": [2, 25]}}, {"depth": 25}


def dead_relu(plan, i):
    plan.model["init"] = "zeros"


def dropout_09(plan, i):
    plan.train["dropout"] = 0.9


def guide_preset(plan, i):
    plan.train = {"preset": "guide_g3_2", "batch_size": plan.train["batch_size"]}


def validation_10(plan, i):
    plan.own_validation = 10


def long_enough(plan, i):
    """Every other one has the time and the size to learn by heart what is wrong."""
    if i % 2:
        plan.epochs *= 4
        plan.model["width"] = 256
        plan.train.pop("l2", None)


def wrong_labels(plan, i):
    long_enough(plan, i)
    plan.change, plan.change_seed = "wrong_labels", i


def few_samples(plan, i):
    """What overcapacity is measured against: a net for so few."""
    plan.settings["limit"] = 200
    plan.model, plan.train, plan.epochs = copy.deepcopy(FEW[plan.data])


def far_too_large(plan, i):
    few_samples(plan, i)
    plan.model.update(net(512, 4))


def plain_rnn(plan, i):
    """Every other one beside a sibling with gates. The waves are so noisy that a net has to look
    at many steps."""
    plan.model["type"] = "rnn"
    if i % 2:
        del plan.model["type"]
        plan.parameters, plan.wanted = ({"model.type": {"values": ["lstm", "rnn"]}},
                                        {"model.type": "rnn"})


class Fault:
    """accepted: causes that are right; cured by: "treatment", "held" (accepted when the sweep is
    held for it) or "named". base: done to the healthy plan as well."""

    def __init__(self, name, apply, data, accepted, cure="treatment", base=None):
        self.name, self.apply, self.data = name, apply, data
        self.accepted, self.cure, self.base = accepted, cure, base

    def case(self, i):
        names = list(self.data)
        name = names[i % len(names)]
        variants = self.data[name]
        turn = i // len(names)
        plans = []
        for apply in (self.base, self.apply):
            plan = Plan(name, variants[turn % len(variants)], SEEDS[turn % len(SEEDS)])
            if apply:
                apply(plan, i)
            plans.append(plan)
        return plans    # healthy, faulty


FAULTS = [
    Fault("nan_cells", nan_cells, {**ALL, "waves3": [0]}, {"nan_in_input"}, cure="held"),
    Fault("sorted_not_shuffled", sorted_by_class, ALL, {"not_shuffled"}),
    # A batch of 1 at the rate of a batch of 32 is a rate too large as well (linear scaling).
    Fault("batch_1_2", tiny_batch, STEEP, {"batch_too_small", "learning_rate_too_large"}),
    # The rate blows up the gradients, or the first steps kill the rectifiers.
    Fault("rate_x30", rate_30, ALL, {"learning_rate_too_large", "exploding_gradient"}),
    Fault("rate_/1000", rate_1000th, ALL, {"learning_rate_too_small"}),
    Fault("sigmoid_25", sigmoid_25, ALL, {"vanishing_gradient", "too_deep"}),
    Fault("dead_relu", dead_relu, RELU, {"dead_units"}),
    Fault("dropout_0.9", dropout_09, ALL, {"dropout_too_strong"}),
    Fault("guide_preset", guide_preset, CLASSES, {"clipping_bounds"}),
    Fault("validation_10", validation_10, ALL, {"validation_set_too_small"}),
    Fault("wrong_labels", wrong_labels, CLASSES, {"label_noise"}, cure="named", base=long_enough),
    Fault("far_too_large", far_too_large, {name: [None] for name in FEW}, {"overcapacity"}, base=few_samples),
    Fault("plain_rnn_300", plain_rnn, {"waves2": [0, 1], "waves3": [0, 1], "waves4": [0, 1]},
          {"vanishing_gradient", "exploding_gradient"}),
]

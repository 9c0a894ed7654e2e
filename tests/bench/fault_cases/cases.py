"""What is healthy, the thirteen faults, and which causes are right for each.

A case is one faulty run and the healthy configuration it was made from: the same data, seed and
budget. Cases of a fault go through its data sets, their variants and the seeds in turn. Two suites:
`open` is what rules and remedies were made with; `held_out` has other data sets, other nets and
other seeds, and nothing was chosen by it.
"""
import copy

CASES = 20


def net(width, depth, activation="relu", **model):
    return {"width": width, "depth": depth, "activation": activation, **model}


def lstm(width):
    return {"type": "lstm", "width": width, "depth": 1}


def adam(rate, **train):
    return {"learning_rate": rate, **train}


def momentum(rate, **train):
    return {"optimizer": "momentum", "learning_rate": rate, **train}


def rmsprop(rate, **train):
    return {"optimizer": "rmsprop", "learning_rate": rate, **train}


def nesterov(rate, **train):
    return {"optimizer": "nesterov", "learning_rate": rate, **train}


WAVES = [(lstm(24), adam(0.003, batch_size=16, clip="global_norm"), 15),
         (lstm(16), adam(0.004, batch_size=16, clip="global_norm"), 18)]
TONES = [(lstm(20), adam(0.004, batch_size=20, clip="global_norm"), 12)]


class Suite:
    """healthy: data set → variants (model, training, epochs), all of which still learn or lie at
    their floor at the end (the bench counts how often one is called sick). few: data sets on which
    200 samples do not determine a large net, with the modest net that is healthy there."""

    def __init__(self, seeds, healthy, steep, few, waves):
        self.seeds, self.healthy, self.few = seeds, {**healthy, **waves}, few
        self.all = {name: list(range(len(v))) for name, v in healthy.items()}
        self.relu = {name: [i for i in self.all[name] if v[i][0]["activation"] == "relu"]
                     for name, v in healthy.items()}
        self.steep = steep      # where a tiny batch hurts
        self.waves = {name: list(range(len(v))) for name, v in waves.items()}


OPEN = Suite(
    seeds=(1, 2, 3, 4, 5),
    healthy={
        "fashion": [(net(64, 2), adam(0.001), 8),
                    (net(32, 1), adam(0.002), 9),
                    (net(64, 1), momentum(0.012), 8),
                    (net(64, 2, "tanh"), rmsprop(0.0008), 6)],
        "clouds": [(net(16, 1), adam(0.003), 8),
                   (net(16, 2), adam(0.002), 6),
                   (net(32, 1), momentum(0.01), 6),
                   (net(16, 1, "tanh"), adam(0.004), 6)],
        "spirals": [(net(32, 2), adam(0.004), 12),
                    (net(64, 1), adam(0.01), 14),
                    (net(32, 2), momentum(0.02), 15),
                    (net(32, 2, "elu"), adam(0.005), 14)],
        "friedman": [(net(32, 2), adam(0.012), 20),
                     (net(64, 1), adam(0.02), 20),
                     (net(32, 2), momentum(0.03), 20),
                     (net(32, 2, "tanh"), adam(0.01), 20)],
    },
    steep={"fashion": [1, 2, 3], "clouds": [2], "spirals": [2], "friedman": [1, 2, 3]},
    few={"fashion": (net(32, 1), adam(0.002, batch_size=16), 20),
         "clouds": (net(32, 1), adam(0.003, batch_size=16), 15),
         "crowd": (net(16, 1), adam(0.003, batch_size=16), 12),
         "friedman": (net(16, 1), adam(0.01, batch_size=16), 40)},
    waves={"waves2": WAVES, "waves3": WAVES, "waves4": WAVES})

HELD_OUT = Suite(
    seeds=(11, 12, 13, 14, 15),
    healthy={
        "digits": [(net(64, 2), adam(0.004, l2=0.001), 12),
                   (net(32, 1), adam(0.01, l2=0.001), 12),
                   (net(64, 1), momentum(0.06, l2=0.001), 15),
                   (net(48, 2, "elu"), adam(0.006, l2=0.001), 12)],
        "cancer": [(net(16, 1), adam(0.02, l2=0.02), 8),
                   (net(16, 2), adam(0.02, l2=0.02), 8),
                   (net(8, 1), momentum(0.06, l2=0.02), 10),
                   (net(16, 1, "tanh"), adam(0.02, l2=0.02), 8)],
        "rings": [(net(48, 2), adam(0.005), 10),
                  (net(32, 2), rmsprop(0.004), 12),
                  (net(48, 1), nesterov(0.03), 16),
                  (net(24, 3, "tanh"), adam(0.006), 12)],
        "friedman2": [(net(24, 2), adam(0.006), 12),
                      (net(48, 1), rmsprop(0.004), 16),
                      (net(32, 2), nesterov(0.01), 14),
                      (net(24, 2, "gelu"), adam(0.006), 12)],
    },
    steep={"digits": [2, 3], "cancer": [2], "rings": [2], "friedman2": [2]},
    few={"digits": (net(32, 1), adam(0.004, batch_size=16), 15),
         "cancer": (net(32, 1), adam(0.003, batch_size=16), 10),
         "diabetes": (net(32, 1), adam(0.0015, batch_size=16), 35),
         "rings": (net(24, 1), adam(0.008, batch_size=16), 25)},
    waves={"tones2": TONES, "tones3": TONES})

SUITES = {"open": OPEN, "held_out": HELD_OUT}


class Plan:
    """What becomes a configuration: data set and its change, settings, and how the run is
    measured."""

    def __init__(self, data, healthy, seed):
        model, train, epochs = copy.deepcopy(healthy)
        self.data, self.seed, self.epochs = data, seed, epochs
        self.change, self.change_seed = "plain", 0
        self.model, self.train = model, {"batch_size": 32, **train}
        self.settings = {}          # of data
        self.parameters = None      # swept: the run is trained beside a sibling
        self.own_validation = 0     # so many of the training part instead of the fixed set; -n:
                                    # one in n of it
        self.wanted = {}            # which run of the sweep is the faulty one
        self.base = ""              # what was done to the healthy one beside it

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
    plain = plan.train.get("optimizer") in ("momentum", "nesterov")
    plan.train["batch_size"] = 2 if plain and plan.seed % 2 == 0 else 1


def rate_30(plan, i):
    plan.train["learning_rate"] *= 30


def rate_1000th(plan, i):
    plan.train["learning_rate"] /= 1000


def sigmoid_25(plan, i):
    """Every other one beside a shallow sibling (G3.4)."""
    plan.model.update(depth=25, activation="sigmoid")
    if i % 2:
        plan.parameters, plan.wanted = {"depth": [2, 25]}, {"depth": 25}


def dead_relu(plan, i):
    plan.model["init"] = "zeros"


def dropout_09(plan, i):
    plan.train["dropout"] = 0.9


def guide_preset(plan, i):
    plan.train = {"preset": "guide_g3_2", "batch_size": plan.train["batch_size"]}


def own_validation(plan, i):
    """What ten samples are measured against: a fifth of the training part held out, too, and the
    weights of the best epoch by those measured on the fixed set."""
    plan.own_validation = -5


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


def first_200(plan, i):
    """What overcapacity is measured against: a net for so few."""
    plan.settings["limit"] = 200


def far_too_large(plan, i):
    first_200(plan, i)
    plan.model.update(net(512, 4))


def plain_rnn(plan, i):
    """Every other one beside a sibling with gates. The waves are so noisy that a net has to look
    at many steps."""
    plan.model["type"] = "rnn"
    if i % 2:
        plan.parameters, plan.wanted = {"type": ["lstm", "rnn"]}, {"type": "rnn"}


class Fault:
    """where: suite → {data set: variants}; few: of suite.few instead of suite.healthy. accepted:
    causes that are right; cure: "treatment", "held" (by that finding) or "named". base: done to
    the healthy plan as well."""

    def __init__(self, name, apply, where, accepted, cure="treatment", base=None):
        self.name, self.apply, self.where = name, apply, where
        self.accepted, self.cure, self.base = accepted, cure, base

    def case(self, suite, i):
        places = self.where(suite)
        names = list(places)
        name, turn = names[i % len(names)], i // len(names)
        seed = suite.seeds[turn % len(suite.seeds)]
        if places[name] is None:
            healthy = suite.few[name]
        else:
            healthy = suite.healthy[name][places[name][turn % len(places[name])]]
        plans = []
        for apply in (self.base, self.apply):
            plan = Plan(name, healthy, seed)
            plan.base = self.base.__name__ if self.base else ""
            if apply:
                apply(plan, i)
            plans.append(plan)
        return plans    # healthy, faulty


def everywhere(suite):
    return suite.all


def classes(suite):
    return {k: v for k, v in suite.all.items() if not k.startswith("friedman")}


FAULTS = [
    Fault("nan_cells", nan_cells, lambda s: {**s.all, next(iter(s.waves)): [0]}, {"nan_in_input"},
          cure="held"),
    Fault("sorted_not_shuffled", sorted_by_class, everywhere, {"not_shuffled"}),
    # A batch of 1 at the rate of a batch of 32 is a rate too large as well (linear scaling).
    Fault("batch_1_2", tiny_batch, lambda s: s.steep,
          {"batch_too_small", "learning_rate_too_large"}),
    # The rate blows up the gradients, or the first steps kill the rectifiers.
    Fault("rate_x30", rate_30, everywhere, {"learning_rate_too_large", "exploding_gradient"}),
    Fault("rate_/1000", rate_1000th, everywhere, {"learning_rate_too_small"}),
    Fault("sigmoid_25", sigmoid_25, everywhere, {"vanishing_gradient", "too_deep"}),
    Fault("dead_relu", dead_relu, lambda s: s.relu, {"dead_units"}),
    Fault("dropout_0.9", dropout_09, everywhere, {"dropout_too_strong"}),
    Fault("guide_preset", guide_preset, classes, {"clipping_bounds"}),
    Fault("validation_10", validation_10, everywhere, {"validation_set_too_small"},
          base=own_validation),
    Fault("wrong_labels", wrong_labels, classes, {"label_noise"}, cure="named", base=long_enough),
    Fault("far_too_large", far_too_large, lambda s: dict.fromkeys(s.few), {"overcapacity"},
          base=first_200),
    Fault("plain_rnn_300", plain_rnn, lambda s: s.waves,
          {"vanishing_gradient", "exploding_gradient"}),
]

/* The loss patterns: the guide's table (G4.1–G4.8), G1 and G3, and the cells the guide leaves
 * open. One row here is one row of table `patterns`; docs/patterns.md explains them. */
#ifndef SWEEP_PATTERN_H
#define SWEEP_PATTERN_H

#include <stdbool.h>

/* X(id, name, guide reference or NULL, look, what it says, the guide's remedies, ours) */
#define PATTERN_MAP(X)                                                                             \
    X(LEARNING, "learning", "G4.1", "both losses fall", "the network is still learning", "",       \
      "more epochs")                                                                               \
    X(OVERFITTING, "overfitting", "G4.2", "training loss falls, validation loss has gone flat",    \
      "overfitting begins, or the validation loss has reached what it can", "",                    \
      "L2; dropout; stop at the best epoch")                                                       \
    X(OVERFITTING_RISING, "overfitting_rising", NULL,                                              \
      "training loss falls or lies flat at the bottom, validation loss rises",                     \
      "overfitting that already hurts", "", "take the best epoch; L2; dropout; smaller net")       \
    X(DATASET_PROBLEM, "dataset_problem", "G4.3", "training loss flat, validation loss falls",     \
      "something is wrong with the data", "", "look at the data findings; larger validation set")  \
    X(BOTTLENECK, "bottleneck", "G4.4", "both flat at a high loss: never fell, or on a plateau",   \
      "learning has hit a wall",                                                                   \
      "stuck from the start: learning rate x 10 (G2.1), other optimizer (G2.2); after a descent: " \
      "smaller learning rate or batch (G4.4)",                                                     \
      "initialisation; batch norm")                                                                \
    X(CONVERGED, "converged", NULL, "both flat at a low loss after a clear descent", "done",       \
      "SGD for the last tuning (G2.2)", "smaller learning rate")                                   \
    X(TRAIN_ABOVE_VAL, "train_above_val", "G4.6",                                                  \
      "both stable, training loss clearly above validation loss",                                  \
      "validation set too small or too easy, or the error computed differently", "",               \
      "evaluate the training set in evaluation mode; larger validation set")                       \
    X(DROPOUT_TOO_STRONG, "dropout_too_strong", "G4.7",                                            \
      "both flat, validation loss near 0, training loss still high",                               \
      "dropout costs the ability to fit", "remove dropout", "less dropout")                        \
    X(TRAIN_RISING, "train_rising", NULL, "training loss rises, validation loss falls or is flat", \
      "the training objective gets harder or is computed wrongly; late label noise", "",           \
      "schedule; loss; labels")                                                                    \
    X(DIVERGING, "diverging", "G4.5", "both rise, clearly",                                        \
      "badly designed structure, badly set hyperparameters, or data cleaning",                     \
      "change the structure: one layer fewer (G3.4)",                                              \
      "learning rate / 10; clip by norm; input scale")                                             \
    X(SLOW_RISE, "slow_rise", "G4.8", "both rise, extremely slowly", "past the best",              \
      "lower the learning rate; or cut here and take the lowest loss (G4.8)", "")                  \
    X(OSCILLATING, "oscillating", "G1",                                                            \
      "the end swings without direction, large against its level",                                 \
      "too little capacity, batch too small, or not shuffled",                                     \
      "one more dense layer (G1.1); larger batch (G1.2); shuffle (G1.3)",                          \
      "smaller learning rate; larger validation set where only validation swings")                 \
    X(NOT_A_NUMBER, "not_a_number", "G3", "NaN or Inf that stays",                                 \
      "NaN in the input, or exploding gradients",                                                  \
      "scan the input (G3.1); pre-train and fine-tune, clip and L2, tanh or elu, batch norm, "     \
      "LSTM, residual (G3.2); one layer fewer (G3.4)",                                             \
      "learning rate / 10")                                                                        \
    X(TOO_SHORT, "too_short", NULL, "fewer than 5 points and nothing else certain",                \
      "no verdict yet", "", "go on")

enum pattern {
#define X(id, name, guide, look, says, guide_remedies, our_remedies) PATTERN_##id,
    PATTERN_MAP(X)
#undef X
    PATTERN_COUNT,
    PATTERN_NONE = -1
};

struct pattern_info {
    const char *name, *guide_ref /* or NULL */, *look, *says, *guide_remedies, *our_remedies;
};

const struct pattern_info *pattern_info(enum pattern p);
const char *pattern_name(enum pattern p); /* "" for PATTERN_NONE */
int pattern_find(const char *name);       /* -1 when unknown */
/* Something is wrong with a run that looks like it: not for learning, converged, too_short and
 * PATTERN_NONE. */
bool pattern_is_sick(enum pattern p);

#endif

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

/* The same in Chinese, the guide's language; its rows in its own words.
 * X(id, look, what it says, the guide's remedies, ours) */
#define PATTERN_ZH_MAP(X)                                                                          \
    X(LEARNING, "train loss 不断下降，val loss 不断下降", "网络仍在学习", "", "增加训练轮数")      \
    X(OVERFITTING, "train loss 不断下降，val loss 趋于不变",                                       \
      "网络过拟合（刚开始，或 val loss 已到极限）", "", "L2 正则；dropout；取最优轮次停止")        \
    X(OVERFITTING_RISING, "train loss 下降或已触底不变，val loss 上升", "过拟合已经造成损害", "",  \
      "取最优轮次；L2 正则；dropout；缩小网络")                                                    \
    X(DATASET_PROBLEM, "train loss 趋于不变，val loss 不断下降", "数据集 100% 有问题", "",         \
      "查看数据检查结果；增大验证集")                                                              \
    X(BOTTLENECK, "train loss 趋于不变，val loss 趋于不变，且仍然很高", "学习遇到瓶颈",            \
      "从一开始就停滞：学习率增大 10 倍（G2.1），换优化器（G2.2）；下降之后停滞："                 \
      "减小学习率或批量数目（G4.4）",                                                              \
      "初始化；batchnorm")                                                                         \
    X(CONVERGED, "明显下降之后两者在低处趋于不变", "训练完成", "最后用 SGD 进行调参（G2.2）",      \
      "减小学习率")                                                                                \
    X(TRAIN_ABOVE_VAL, "到稳定的时候 train loss 反而比 val loss 还要高",                           \
      "测试集数据量太小，或误差计算算法有问题", "", "以评估模式重算训练集误差；增大验证集")        \
    X(DROPOUT_TOO_STRONG, "两者趋于不变，val loss 趋于 0，而 train loss 却还很高",                 \
      "使用 dropout 层后模型拟合能力变差", "去掉 dropout 层", "减小 dropout")                      \
    X(TRAIN_RISING, "train loss 上升，val loss 下降或不变",                                        \
      "训练目标变难或计算有误；后期标签噪声", "", "学习率计划；损失函数；标签")                    \
    X(DIVERGING, "train loss 不断上升，val loss 不断上升",                                         \
      "网络结构设计不当，训练超参数设置不当，或数据集清洗问题", "修改模型结构：减少一层（G3.4）",  \
      "学习率除以 10；按范数裁剪梯度；输入缩放")                                                   \
    X(SLOW_RISE, "train loss 和 val loss 同时极缓慢地增大", "已过最优点",                          \
      "降低学习率；或从这里截断，以 loss 最低点作为模型最优点（G4.8）", "")                         \
    X(OSCILLATING, "末段无方向地震荡，相对其水平幅度大",                                           \
      "模型拟合能力不够，batch size 过小，或数据没有 shuffle",                                     \
      "增加一层全连接层（G1.1）；增大 batch size（G1.2）；shuffle（G1.3）",                        \
      "减小学习率；只有验证集震荡时增大验证集")                                                    \
    X(NOT_A_NUMBER, "持续的 nan 或 inf", "输入数据中存在 nan 值，或梯度爆炸",                      \
      "检查输入数据（G3.1）；预训练加微调，梯度剪切加权重正则，tanh 或 elu，batchnorm，LSTM，"     \
      "残差结构（G3.2）；减少一层（G3.4）",                                                        \
      "学习率除以 10")                                                                             \
    X(TOO_SHORT, "少于 5 个点，且别无定论", "尚无结论", "", "继续训练")

enum pattern {
#define X(id, name, guide, look, says, guide_remedies, our_remedies) PATTERN_##id,
    PATTERN_MAP(X)
#undef X
    PATTERN_COUNT,
    PATTERN_NONE = -1
};

struct pattern_info {
    const char *name, *guide_ref /* or NULL */, *look, *says, *guide_remedies, *our_remedies;
    const char *look_zh, *says_zh, *guide_remedies_zh, *our_remedies_zh;
};

const struct pattern_info *pattern_info(enum pattern p);
const char *pattern_name(enum pattern p); /* "" for PATTERN_NONE */
int pattern_find(const char *name);       /* -1 when unknown */
/* Something is wrong with a run that looks like it: not for learning, converged, too_short and
 * PATTERN_NONE. */
bool pattern_is_sick(enum pattern p);

#endif

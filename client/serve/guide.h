/* The rules of the tuning guide, in our words (docs/guide.md says where each is carried out). */
#ifndef SWEEPCTL_SERVE_GUIDE_H
#define SWEEPCTL_SERVE_GUIDE_H

/* X(reference, English, Chinese) */
#define GUIDE_MAP(X)                                                                               \
    X("G1.1", "The model cannot fit the data: its capacity is too small. One more dense layer.",   \
      "模型拟合能力不够：容量太小。增加一层全连接层。")                                            \
    X("G1.2",                                                                                      \
      "The batches are too small: each step follows a few samples. Make them larger, as far as "   \
      "memory allows.",                                                                            \
      "批量太小：每一步只跟随几个样本。在内存允许的范围内增大批量。")                              \
    X("G1.3",                                                                                      \
      "The data is not shuffled: a batch of one class, then one of the other. Shuffle samples "    \
      "and answers alike, from one seed.",                                                         \
      "数据没有打乱：一批全是一类，下一批全是另一类。用同一种子一起打乱样本与答案。")              \
    X("G2.1",                                                                                      \
      "Raise the learning rate by ten: small steps fall into a pit and circle there. Try large "   \
      "rates first, then smaller ones.",                                                           \
      "学习率增大十倍：步子小会落入坑中徘徊。先试大的学习率，再依次减小。")                        \
    X("G2.2",                                                                                      \
      "Try other optimizers: search with Adam, which is usually fastest, and do the last tuning "  \
      "with SGD, which is slowest and most exact.",                                                \
      "尝试其他优化器：用通常最快的 Adam 搜索，最后用最慢但最准确的 SGD 调参。")                   \
    X("G3.1",                                                                                      \
      "Look for NaN in the input as it is after preprocessing (0/0, log 0), by row and column.",   \
      "检查预处理之后的输入中的 nan（0/0、log 0），按行与列列出。")                                \
    X("G3.2",                                                                                      \
      "Gradients explode or vanish: pre-train and fine-tune; clip and regularise; tanh or ELU "    \
      "for ReLU; batch normalisation; LSTM for a plain RNN; residual connections.",                \
      "梯度爆炸或消失：预训练加微调；梯度剪切加权重正则；用 tanh 或 ELU 代替 ReLU；批归一化；用 "  \
      "LSTM 代替普通 RNN；残差结构。")                                                             \
    X("G3.3",                                                                                      \
      "After clipping and L2 the loss may rise: bounds made by hand can push a weight the wrong "  \
      "way. Symmetric bounds or a norm do not.",                                                   \
      "剪切与 L2 之后 loss 可能上升：人为的界限会把权重推向错误方向；对称界限或按范数则不会。")    \
    X("G3.4", "Where nothing helps, change the structure: one layer fewer.",                       \
      "都无效时修改结构：减少一层。")                                                              \
    X("G4.1", "Both losses fall: the network is still learning.",                                  \
      "两个 loss 都下降：网络仍在学习。")                                                          \
    X("G4.2", "Training falls, validation has gone flat: overfitting.",                            \
      "train loss 下降而 val loss 趋于不变：过拟合。")                                             \
    X("G4.3", "Training flat, validation falls: the data has a problem.",                          \
      "train loss 趋于不变而 val loss 下降：数据有问题。")                                         \
    X("G4.4",                                                                                      \
      "Both flat: learning has hit a bottleneck. A lower learning rate or smaller batches.",       \
      "两者趋于不变：学习遇到瓶颈。减小学习率或批量。")                                            \
    X("G4.5",                                                                                      \
      "Both keep rising: structure or hyperparameters are badly chosen, or the data needs "        \
      "cleaning.",                                                                                 \
      "两者不断上升：结构或超参数设置不当，或数据需要清洗。")                                      \
    X("G4.6",                                                                                      \
      "In the end training lies above validation: the validation set is too small, or an error "   \
      "is computed wrongly.",                                                                      \
      "稳定时 train loss 高于 val loss：验证集太小，或误差计算有误。")                             \
    X("G4.7",                                                                                      \
      "Both flat, validation near 0 and training still high: dropout costs the ability to fit. "   \
      "Take it out.",                                                                              \
      "两者趋于不变，val loss 近 0 而 train loss 仍高：dropout 损害拟合能力。去掉它。")            \
    X("G4.8",                                                                                      \
      "Both rise extremely slowly: a lower rate; or cut here and take the point of lowest loss "   \
      "as the model.",                                                                             \
      "两者极缓慢上升：降低学习率；或在此截断，取 loss 最低点为模型。")

#endif

#include "common/run/title_words.h"

#include <string.h>

#include "sweep/curve_title.h"
#include "sweep/require.h"

#define TRAIN WORD_SPLIT, CURVE_SPLIT_TRAIN
#define VAL WORD_SPLIT, CURVE_SPLIT_VAL
#define DEV WORD_SPLIT, CURVE_SPLIT_DEV
#define TEST WORD_SPLIT, CURVE_SPLIT_TEST
#define STATISTIC(s) WORD_STATISTIC, STATISTIC_##s

static const struct title_word WORDS[] = {
    {"train", TRAIN}, {"training", TRAIN}, {"tr", TRAIN}, {"trn", TRAIN}, {"learn", TRAIN},
    {"val", VAL}, {"valid", VAL}, {"validation", VAL}, {"validate", VAL}, {"vld", VAL},
    {"va", VAL},
    {"eval", DEV}, {"evaluation", DEV}, {"dev", DEV}, {"devel", DEV}, {"development", DEV},
    {"holdout", DEV}, {"heldout", DEV}, {"cv", DEV},
    {"test", TEST}, {"testing", TEST}, {"tst", TEST}, {"te", TEST},
    {"epoch", STATISTIC(EPOCH)}, {"epochs", STATISTIC(EPOCH)}, {"ep", STATISTIC(EPOCH)},
    {"epoche", STATISTIC(EPOCH)}, {"epochen", STATISTIC(EPOCH)}, {"epoca", STATISTIC(EPOCH)},
    {"step", STATISTIC(BATCH)}, {"steps", STATISTIC(BATCH)}, {"batch", STATISTIC(BATCH)},
    {"batches", STATISTIC(BATCH)}, {"minibatch", STATISTIC(BATCH)}, {"iter", STATISTIC(BATCH)},
    {"iters", STATISTIC(BATCH)}, {"iteration", STATISTIC(BATCH)},
    {"iterations", STATISTIC(BATCH)}, {"update", STATISTIC(BATCH)},
    {"updates", STATISTIC(BATCH)}, {"round", STATISTIC(BATCH)}, {"rounds", STATISTIC(BATCH)},
    {"timestep", STATISTIC(BATCH)}, {"timesteps", STATISTIC(BATCH)},
    {"tree", STATISTIC(BATCH)}, {"trees", STATISTIC(BATCH)}, {"generation", STATISTIC(BATCH)},
    {"avg", STATISTIC(MEAN)}, {"average", STATISTIC(MEAN)}, {"averaged", STATISTIC(MEAN)},
    {"mean", STATISTIC(MEAN)},
    {"running", STATISTIC(SMOOTHED)}, {"smooth", STATISTIC(SMOOTHED)},
    {"smoothed", STATISTIC(SMOOTHED)}, {"ema", STATISTIC(SMOOTHED)},
    {"min", STATISTIC(BOUND)}, {"max", STATISTIC(BOUND)}, {"best", STATISTIC(BOUND)},
    {"lowest", STATISTIC(BOUND)}, {"highest", STATISTIC(BOUND)}, {"std", STATISTIC(BOUND)},
    {"stdev", STATISTIC(BOUND)}, {"stddev", STATISTIC(BOUND)}, {"sd", STATISTIC(BOUND)},
    {"var", STATISTIC(BOUND)}, {"variance", STATISTIC(BOUND)}, {"sem", STATISTIC(BOUND)},
    {"minimum", STATISTIC(BOUND)}, {"maximum", STATISTIC(BOUND)},
    /* Other languages; what stands behind another word without a gap ("Trainingsverlust",
     * "训练损失") is found by its parts. */
    {"trainings", TRAIN}, {"lern", TRAIN}, {"entraînement", TRAIN}, {"entrainement", TRAIN},
    {"apprentissage", TRAIN}, {"entrenamiento", TRAIN}, {"addestramento", TRAIN},
    {"treino", TRAIN}, {"treinamento", TRAIN}, {"обучение", TRAIN}, {"训练", TRAIN},
    {"训练集", TRAIN}, {"訓練", TRAIN}, {"学習", TRAIN}, {"학습", TRAIN}, {"훈련", TRAIN},
    {"validierung", VAL}, {"validierungs", VAL}, {"validación", VAL}, {"validacion", VAL},
    {"validazione", VAL}, {"validação", VAL}, {"validacao", VAL}, {"валидация", VAL},
    {"验证", VAL}, {"验证集", VAL}, {"驗證", VAL}, {"検証", VAL}, {"검증", VAL},
    {"prueba", TEST}, {"teste", TEST}, {"测试", TEST}, {"测试集", TEST}, {"測試", TEST},
    {"テスト", TEST}, {"테스트", TEST},
    {"époque", STATISTIC(EPOCH)}, {"epoque", STATISTIC(EPOCH)}, {"época", STATISTIC(EPOCH)},
    {"эпоха", STATISTIC(EPOCH)}, {"轮次", STATISTIC(EPOCH)}, {"轮数", STATISTIC(EPOCH)},
    {"轮", STATISTIC(EPOCH)}, {"周期", STATISTIC(EPOCH)}, {"エポック", STATISTIC(EPOCH)},
    {"에포크", STATISTIC(EPOCH)}, {"에폭", STATISTIC(EPOCH)},
    {"schritt", STATISTIC(BATCH)}, {"schritte", STATISTIC(BATCH)},
    {"étape", STATISTIC(BATCH)}, {"itération", STATISTIC(BATCH)}, {"paso", STATISTIC(BATCH)},
    {"шаг", STATISTIC(BATCH)}, {"步数", STATISTIC(BATCH)}, {"步", STATISTIC(BATCH)},
    {"迭代次数", STATISTIC(BATCH)}, {"迭代", STATISTIC(BATCH)}, {"ステップ", STATISTIC(BATCH)},
    {"mittel", STATISTIC(MEAN)}, {"mittlerer", STATISTIC(MEAN)}, {"moyenne", STATISTIC(MEAN)},
    {"平均", STATISTIC(MEAN)},
    {"最小", STATISTIC(BOUND)}, {"最大", STATISTIC(BOUND)}, {"最佳", STATISTIC(BOUND)},
    {"最好", STATISTIC(BOUND)}, {"bester", STATISTIC(BOUND)}, {"beste", STATISTIC(BOUND)},
    {"verlust", WORD_LOSS, 0}, {"perte", WORD_LOSS, 0}, {"pérdida", WORD_LOSS, 0},
    {"perdida", WORD_LOSS, 0}, {"perdita", WORD_LOSS, 0}, {"perda", WORD_LOSS, 0},
    {"потери", WORD_LOSS, 0}, {"потеря", WORD_LOSS, 0}, {"损失", WORD_LOSS, 0},
    {"损失值", WORD_LOSS, 0}, {"損失", WORD_LOSS, 0}, {"손실", WORD_LOSS, 0},
    {"genauigkeit", WORD_ACC, 0}, {"exactitude", WORD_ACC, 0}, {"exactitud", WORD_ACC, 0},
    {"accuratezza", WORD_ACC, 0}, {"acurácia", WORD_ACC, 0}, {"точность", WORD_ACC, 0},
    {"准确率", WORD_ACC, 0}, {"精度", WORD_ACC, 0}, {"正解率", WORD_ACC, 0}, {"정확도", WORD_ACC, 0},
    {"de", WORD_FILLER, FILLS_BETWEEN}, {"der", WORD_FILLER, FILLS_BETWEEN},
    {"des", WORD_FILLER, FILLS_BETWEEN}, {"du", WORD_FILLER, FILLS_BETWEEN}, {"集", WORD_FILLER, 0},
    {"loss", WORD_LOSS, 0}, {"losses", WORD_LOSS, 0},
    {"acc", WORD_ACC, 0}, {"accuracy", WORD_ACC, 0}, {"accuracies", WORD_ACC, 0},
    {"metric", WORD_FILLER, 0}, {"metrics", WORD_FILLER, 0}, {"scalar", WORD_FILLER, 0},
    {"scalars", WORD_FILLER, 0}, {"logs", WORD_FILLER, 0}, {"value", WORD_FILLER, 1},
    {"summary", WORD_FILLER, 0}, {"history", WORD_FILLER, 0}, {"set", WORD_FILLER, 1},
    {"dataset", WORD_FILLER, 0}, {"data", WORD_FILLER, 1}, {"split", WORD_FILLER, 0},
    {"model", WORD_FILLER, 0}, {"trainer", WORD_FILLER, 0}, {"global", WORD_FILLER, 0},
    {"current", WORD_FILLER, 0}, {"boosting", WORD_FILLER, 0}, {"num", WORD_FILLER, 1},
    {"number", WORD_FILLER, 1}, {"n", WORD_FILLER, 1}, {"nb", WORD_FILLER, 0},
    {"no", WORD_FILLER, 1}, {"idx", WORD_FILLER, 1}, {"index", WORD_FILLER, 1},
    {"id", WORD_FILLER, 1}, {"count", WORD_FILLER, 1}, {"counter", WORD_FILLER, 1},
    {"dataloader", WORD_FILLER, 0}, {"of", WORD_FILLER, 0}, {"on", WORD_FILLER, 0},
    {"in", WORD_FILLER, 0}, {"the", WORD_FILLER, 0}, {"for", WORD_FILLER, 0},
    {"per", WORD_FILLER, 0}, {"s", WORD_FILLER, 1}, {"agg", WORD_FILLER, 1},
};

#define LOSS(preference, measure) CURVE_ROLE_LOSS, -1, preference, measure, NULL
#define METRIC(what) CURVE_ROLE_METRIC, -1, 0, NULL, what
#define COLUMN(id, what) CURVE_ROLE_COLUMN, CURVE_##id, 0, NULL, what
#define ACC(preference) CURVE_ROLE_ACC, -1, preference, NULL, "an accuracy"
#define STEP CURVE_ROLE_STEP, -1, 2, NULL, NULL
#define RATE "the learning rate"
#define HIGHER "a score of which more is better"
#define TIMED "a time or a speed"
#define USED "what was used or counted"

static const struct title_quantity QUANTITIES[] = {
    /* Losses. */
    {"loss", LOSS(PREFERENCE_LOSS, "")},
    {"total_loss", LOSS(PREFERENCE_TOTAL, "total")},
    {"overall_loss", LOSS(PREFERENCE_TOTAL, "total")},
    {"loss_total", LOSS(PREFERENCE_TOTAL, "total")},
    {"loss_overall", LOSS(PREFERENCE_TOTAL, "total")},
    {"combined_loss", LOSS(PREFERENCE_TOTAL, "total")},
    {"data_loss", LOSS(2, "data")},
    {"objective", LOSS(2, "objective")}, {"cost", LOSS(2, "cost")},
    {"criterion", LOSS(2, "criterion")},
    {"nll", LOSS(3, "nll")}, {"nloglik", LOSS(3, "nll")},
    {"neg_log_likelihood", LOSS(3, "nll")}, {"negative_log_likelihood", LOSS(3, "nll")},
    {"log_loss", LOSS(4, "logloss")}, {"logloss", LOSS(4, "logloss")},
    {"mlogloss", LOSS(4, "logloss")}, {"binary_logloss", LOSS(4, "logloss")},
    {"multi_logloss", LOSS(4, "logloss")}, {"multi_class", LOSS(4, "multiclass")},
    {"multiclass", LOSS(4, "multiclass")},
    {"cross_entropy", LOSS(5, "cross_entropy")}, {"crossentropy", LOSS(5, "cross_entropy")},
    {"xent", LOSS(5, "cross_entropy")}, {"xentropy", LOSS(5, "cross_entropy")},
    {"ce", LOSS(5, "cross_entropy")}, {"cce", LOSS(5, "cross_entropy")},
    {"bce", LOSS(6, "bce")}, {"bce_with_logits", LOSS(6, "bce")},
    {"binary_crossentropy", LOSS(6, "bce")}, {"binary_cross_entropy", LOSS(6, "bce")},
    {"deviance", LOSS(7, "deviance")}, {"mse", LOSS(8, "mse")},
    {"squared_error", LOSS(8, "mse")}, {"l2", LOSS(8, "mse")}, {"rmse", LOSS(9, "rmse")},
    {"root_squared_error", LOSS(9, "rmse")}, {"multi_rmse", LOSS(9, "rmse")},
    {"mae", LOSS(10, "mae")}, {"absolute_error", LOSS(10, "mae")}, {"l1", LOSS(10, "mae")},
    {"huber", LOSS(11, "huber")}, {"smooth_l1", LOSS(11, "huber")},
    {"logcosh", LOSS(12, "logcosh")}, {"msle", LOSS(13, "msle")},
    {"squared_logarithmic_error", LOSS(13, "msle")}, {"rmsle", LOSS(14, "rmsle")},
    {"mape", LOSS(15, "mape")}, {"absolute_percentage_error", LOSS(15, "mape")},
    {"smape", LOSS(16, "smape")}, {"wape", LOSS(17, "wape")}, {"mase", LOSS(18, "mase")},
    {"nrmse", LOSS(19, "nrmse")}, {"hinge", LOSS(20, "hinge")},
    {"squared_hinge", LOSS(21, "squared_hinge")}, {"quantile", LOSS(22, "quantile")},
    {"pinball", LOSS(22, "quantile")}, {"poisson", LOSS(23, "poisson")},
    {"tweedie", LOSS(24, "tweedie")}, {"brier", LOSS(25, "brier")}, {"crps", LOSS(26, "crps")},
    {"neg_elbo", LOSS(27, "neg_elbo")}, {"kl_divergence", LOSS(28, "kl")},
    {"kld", LOSS(28, "kl")}, {"bpc", LOSS(29, "bits")}, {"bpb", LOSS(29, "bits")},
    {"bpd", LOSS(29, "bits")}, {"bits_char", LOSS(29, "bits")},
    {"bits_byte", LOSS(29, "bits")}, {"bits_dim", LOSS(29, "bits")},
    {"perplexity", LOSS(30, "perplexity")}, {"ppl", LOSS(30, "perplexity")},
    {"error", LOSS(40, "error")}, {"err", LOSS(40, "error")}, {"merror", LOSS(40, "error")},
    {"error_rate", LOSS(40, "error")},
    /* What counts, when it has another name than an epoch's or a step's. */
    {"total_steps", STEP}, {"time_total_timesteps", STEP}, {"time_iterations", STEP},
    {"total_timesteps", STEP}, {"timesteps_total", STEP},
    {"total_iterations", STEP}, {"checkpoint", STEP}, {"ckpt", STEP},
    /* Accuracies that are not called so. */
    {"top1", ACC(1)}, {"acc1", ACC(1)}, {"top5", ACC(2)}, {"acc5", ACC(2)},
    /* No losses. */
    {"lr", COLUMN(LEARNING_RATE, RATE)}, {"learning_rate", COLUMN(LEARNING_RATE, RATE)},
    {"learn_rate", COLUMN(LEARNING_RATE, RATE)}, {"lernrate", COLUMN(LEARNING_RATE, RATE)},
    {"学习率", COLUMN(LEARNING_RATE, RATE)}, {"学習率", COLUMN(LEARNING_RATE, RATE)},
    {"gradient_norm", COLUMN(GRAD_NORM, "a norm of the gradient")},
    {"grad_norm", COLUMN(GRAD_NORM, "a norm of the gradient")},
    {"gnorm", COLUMN(GRAD_NORM, "a norm of the gradient")},
    {"f1", COLUMN(VAL_F1, HIGHER)}, {"r2", COLUMN(VAL_R2, HIGHER)},
    {"f1_score", METRIC(HIGHER)}, {"f1score", METRIC(HIGHER)}, {"f_score", METRIC(HIGHER)},
    {"fscore", METRIC(HIGHER)}, {"fbeta", METRIC(HIGHER)}, {"f2", METRIC(HIGHER)},
    {"macro_f1", METRIC(HIGHER)}, {"micro_f1", METRIC(HIGHER)}, {"f1_macro", METRIC(HIGHER)},
    {"f1_micro", METRIC(HIGHER)}, {"f1_weighted", METRIC(HIGHER)},
    {"weighted_f1", METRIC(HIGHER)}, {"r2_score", METRIC(HIGHER)}, {"r2score", METRIC(HIGHER)},
    {"r_squared", METRIC(HIGHER)}, {"explained", METRIC(HIGHER)}, {"precision", METRIC(HIGHER)},
    {"recall", METRIC(HIGHER)}, {"auc", METRIC(HIGHER)}, {"aucpr", METRIC(HIGHER)},
    {"auroc", METRIC(HIGHER)}, {"auprc", METRIC(HIGHER)}, {"roc", METRIC(HIGHER)},
    {"roc_auc", METRIC(HIGHER)}, {"auc_roc", METRIC(HIGHER)}, {"pr_auc", METRIC(HIGHER)},
    {"map", METRIC(HIGHER)}, {"map50", METRIC(HIGHER)}, {"ap", METRIC(HIGHER)},
    {"ap50", METRIC(HIGHER)}, {"ndcg", METRIC(HIGHER)}, {"dcg", METRIC(HIGHER)},
    {"mrr", METRIC(HIGHER)}, {"hit", METRIC(HIGHER)}, {"hits", METRIC(HIGHER)},
    {"hit_rate", METRIC(HIGHER)}, {"hitrate", METRIC(HIGHER)}, {"hr", METRIC(HIGHER)},
    {"bleu", METRIC(HIGHER)}, {"sacrebleu", METRIC(HIGHER)}, {"bleu4", METRIC(HIGHER)},
    {"rouge", METRIC(HIGHER)}, {"rouge1", METRIC(HIGHER)}, {"rouge2", METRIC(HIGHER)},
    {"rougel", METRIC(HIGHER)}, {"rougelsum", METRIC(HIGHER)}, {"rouge_l", METRIC(HIGHER)},
    {"meteor", METRIC(HIGHER)}, {"cider", METRIC(HIGHER)}, {"chrf", METRIC(HIGHER)},
    {"comet", METRIC(HIGHER)}, {"bertscore", METRIC(HIGHER)}, {"exact_match", METRIC(HIGHER)},
    {"em", METRIC(HIGHER)}, {"iou", METRIC(HIGHER)}, {"miou", METRIC(HIGHER)},
    {"dice", METRIC(HIGHER)}, {"dsc", METRIC(HIGHER)}, {"jaccard", METRIC(HIGHER)},
    {"kappa", METRIC(HIGHER)}, {"mcc", METRIC(HIGHER)}, {"specificity", METRIC(HIGHER)},
    {"sensitivity", METRIC(HIGHER)}, {"pearson", METRIC(HIGHER)}, {"pearsonr", METRIC(HIGHER)},
    {"spearman", METRIC(HIGHER)}, {"spearmanr", METRIC(HIGHER)}, {"kendall", METRIC(HIGHER)},
    {"correlation", METRIC(HIGHER)}, {"corr", METRIC(HIGHER)}, {"psnr", METRIC(HIGHER)},
    {"ssim", METRIC(HIGHER)}, {"gini", METRIC(HIGHER)}, {"lift", METRIC(HIGHER)},
    {"score", METRIC(HIGHER)}, {"reward", METRIC(HIGHER)}, {"rewards", METRIC(HIGHER)},
    {"return", METRIC(HIGHER)}, {"returns", METRIC(HIGHER)}, {"fitness", METRIC(HIGHER)},
    {"elbo", METRIC(HIGHER)}, {"log_likelihood", METRIC(HIGHER)},
    {"loglikelihood", METRIC(HIGHER)}, {"likelihood", METRIC(HIGHER)},
    {"confidence", METRIC(HIGHER)}, {"similarity", METRIC(HIGHER)},
    {"rate", METRIC("a rate")}, {"wer", METRIC("a rate of wrong words or characters")},
    {"cer", METRIC("a rate of wrong words or characters")},
    {"fid", METRIC("a score of generated samples")},
    {"inception", METRIC("a score of generated samples")},
    {"entropy", METRIC("an entropy")},
    {"momentum", METRIC("a setting")}, {"weight_decay", METRIC("a setting")},
    {"wd", METRIC("a setting")}, {"beta", METRIC("a setting")},
    {"temperature", METRIC("a setting")}, {"size", METRIC("a setting")},
    {"loss_scale", METRIC("a setting")}, {"grad_scale", METRIC("a setting")},
    {"loss_weight", METRIC("a setting")}, {"loss_weights", METRIC("a setting")},
    {"scale", METRIC("a setting")},
    {"loss_ratio", METRIC("no loss, but made of losses")},
    {"loss_diff", METRIC("no loss, but made of losses")},
    {"loss_gap", METRIC("no loss, but made of losses")},
    {"loss_change", METRIC("no loss, but made of losses")},
    {"grad", METRIC("of the gradient")}, {"gradient", METRIC("of the gradient")},
    {"gradients", METRIC("of the gradient")}, {"norm", METRIC("a norm")},
    {"time", METRIC(TIMED)}, {"seconds", METRIC(TIMED)}, {"sec", METRIC(TIMED)},
    {"secs", METRIC(TIMED)}, {"duration", METRIC(TIMED)}, {"elapsed", METRIC(TIMED)},
    {"runtime", METRIC(TIMED)}, {"timestamp", METRIC(TIMED)}, {"second", METRIC(TIMED)},
    {"speed", METRIC(TIMED)}, {"throughput", METRIC(TIMED)}, {"fps", METRIC(TIMED)},
    {"latency", METRIC(TIMED)}, {"ms", METRIC(TIMED)}, {"date", METRIC(TIMED)},
    {"flos", METRIC(USED)}, {"flops", METRIC(USED)}, {"gpu", METRIC(USED)},
    {"cpu", METRIC(USED)}, {"memory", METRIC(USED)}, {"mem", METRIC(USED)},
    {"tokens", METRIC(USED)}, {"samples", METRIC(USED)}, {"params", METRIC(USED)},
    {"parameters", METRIC(USED)}, {"sparsity", METRIC(USED)}, {"utilization", METRIC(USED)},
};

static const char *const PARTS[] = {
    "box", "bbox", "obj", "cls", "dfl", "seg", "sem", "pose", "kobj", "rle", "giou", "iou", "l1",
    "ce", "class", "classifier", "reg", "objectness", "rpn", "mask", "keypoint", "centerness",
    "angle", "cardinality",
};

const struct title_word *title_word_find(const char *word, size_t len)
{
    for (size_t i = 0; len > 0 && i < ARRAY_LEN(WORDS); i++) {
        const char *known = WORDS[i].word;
        if (known[0] == word[0] && strncmp(known, word, len) == 0 && known[len] == '\0')
            return &WORDS[i];
    }
    return NULL;
}

const struct title_word *title_word_begins(const char *text, size_t *at)
{
    while (*at < ARRAY_LEN(WORDS)) {
        const struct title_word *w = &WORDS[(*at)++];
        size_t len = w->word[0] == text[0] ? strlen(w->word) : 0;
        if (len > 0 && strncmp(text, w->word, len) == 0 && text[len] != '\0')
            return w;
    }
    return NULL;
}

const struct title_quantity *title_quantity_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(QUANTITIES); i++)
        if (QUANTITIES[i].name[0] == name[0] && strcmp(QUANTITIES[i].name, name) == 0)
            return &QUANTITIES[i];
    return NULL;
}

bool title_part_known(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(PARTS); i++)
        if (strcmp(PARTS[i], word) == 0)
            return true;
    return false;
}

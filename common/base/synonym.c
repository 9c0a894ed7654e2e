#include "common/base/synonym.h"

#include <ctype.h>
#include <string.h>

#include "sweep/require.h"

#define WORD_MAX 64

/* Words without case and joints, separated by '|'; what they may mean, the first that is among the
 * names at hand. SAME: nothing else could be meant. "?name": there is no such thing here, where
 * that is one of the names. */
#define SAME true
#define LIKELY false
static const struct row {
    const char *words, *targets, *note;
    bool same;
} rows[] = {
    /* settings */
    {"lr|learnrate|stepsize|initlr|lr0|baselr|initiallr|initiallearningrate|learningrateinit",
     "learning_rate", "", SAME},
    {"bs|batch|batchsz|minibatch|minibatchsize|trainbatchsize|perdevicetrainbatchsize",
     "batch_size", "", SAME},
    {"wd", "weight_decay|train.weight_decay", "", SAME},
    {"l2reg|l2regularization|l2penalty|l2lambda|reg|regularization", "l2|train.l2", "", LIKELY},
    {"numlayers|nlayers|numhiddenlayers|nhiddenlayers|hiddenlayers|layercount|nblocks|numblocks",
     "depth", "", SAME},
    {"layers|layer", "depth", "", LIKELY},
    {"hiddensize|hiddenunits|hiddendim|hiddendims|numunits|nunits|units|numhidden|nhidden|neurons|"
     "numneurons|nneurons|layersize|hiddenlayersize|fclayersize|hiddenwidth",
     "width", "", SAME},
    {"hidden|dim|size|dmodel", "width", "", LIKELY},
    {"dropoutrate|droprate|dropoutprob|dropoutp|pdropout|dropoutprobability", "dropout|rate", "",
     SAME},
    {"keepprob|keepprobability", "dropout|rate", "the share that is dropped: 1 - keep", LIKELY},
    {"opt|optim|optimiser|solver|optimizertype|optimizername", "optimizer", "", SAME},
    {"act|activationfn|activationfunction|nonlinearity|actfn", "activation|function", "", SAME},
    {"scheduler|lrscheduler|lrschedule|learningrateschedule|lrschedulertype|lrdecay|schedulertype|"
     "schedulername|lrschedulername",
     "schedule|train.schedule", "", LIKELY},
    {"warmup|warmupsteps|numwarmupsteps|warmupratio|nwarmup", "warmup_epochs|train.warmup_epochs",
     "in epochs", LIKELY},
    {"earlystoppingpatience|earlystoppatience|earlystoppingrounds|espatience",
     "patience|train.patience", "", LIKELY},
    {"gradclip|gradientclip|maxgradnorm|clipgradnorm|gradientclipval|gradclipnorm|gradnorm|"
     "gradientclipping|clipgrad",
     "clip_norm|train.clip_norm", "with train.clip \"global_norm\"", LIKELY},
    {"eps|adamepsilon", "epsilon|train.epsilon", "", SAME},
    {"b1|adambeta1", "beta1|train.beta1", "", SAME},
    {"b2|adambeta2", "beta2|train.beta2", "", SAME},
    {"mom", "momentum|train.momentum", "", SAME},
    {"norm|batchnorm|usebn|usebatchnorm|batchnormalization|bn|layernorm",
     "normalization|batch|batch_norm|model.normalization", "", LIKELY},
    {"valsplit|validationsplit|valsize|validationsize|valfraction|validationfraction|holdout|"
     "testsize|valratio|nval|numval|nvalidation",
     "validation|data.validation", "a number of samples", LIKELY},
    {"maxsamples|nsamples|numsamples|samples|subset|subsample|nrows", "limit|run_cap|data.limit",
     "", LIKELY},
    {"file|filename|filepath|dir|directory|folder|url|datapath|trainpath|trainfile", "path", "",
     LIKELY},
    {"filetype|type|kind|filetypes", "format|distribution|type", "", LIKELY},
    {"label|labels|y|targetcolumn|labelcolumn|output|class|ycolumn|outcome|labelcol|targetcol",
     "target|target_path", "", LIKELY},
    {"standardize|standardise|normalize|normalise|scaler|scaling|preprocessing|preprocess",
     "scale|data.scale|standard", "", LIKELY},
    {"nan|handlenan|fillna|dropna|nans|missingvalues", "on_nan|data.on_nan", "", LIKELY},
    {"test|testdata|testfile", "test_path", "", LIKELY},
    {"val|valid|valpath|valfile|validationfile|validationdata|valdata", "validation_path", "",
     LIKELY},
    {"classweight|balanced", "class_weights|train.class_weights", "", LIKELY},
    {"initializer|initialization|weightinit|kernelinitializer|initialiser|initialisation",
     "init|model.init", "", LIKELY},
    {"criterion|lossfn|lossfunction|objectivefunction", "loss|train.loss", "", LIKELY},
    {"filters|outchannels|nfilters|numfilters|numchannels", "channels", "", LIKELY},
    {"kernelsize|filtersize", "kernel", "", SAME},
    {"poolsize|windowsize", "size|pool_size", "", LIKELY},
    /* the specification */
    {"numepochs|nepochs|maxepochs|nepoch|numtrainepochs|trainepochs|epoch|iterations|maxiter|"
     "nbepochs",
     "epochs", "", LIKELY},
    {"count|ntrials|numtrials|maxtrials|trials|runs|maxruns|numruns|nruns|budget|maxevals|niter|"
     "runcount|ncalls",
     "run_cap", "", LIKELY},
    {"randomstate|randomseed|rngseed|seeds", "seed", "", LIKELY},
    {"params|searchspace|space|hyperparameters|hparams|hyperparams|parameter|paramgrid|config|"
     "hyperparameter|paramdistributions",
     "parameters", "", LIKELY},
    {"objective|monitor|score|scoring", "metric|name|val_loss", "", LIKELY},
    {"algorithm|algo|search|strategy|sampler|searchmethod|searchalg|tuner|searcher", "method", "",
     LIKELY},
    {"dataset|datas|input|trainingdata|traindata", "data", "", LIKELY},
    {"network|arch|architecture|net|nn", "model|mlp", "", LIKELY},
    {"training|trainingargs|trainparams|hyper", "train", "", LIKELY},
    {"earlystopping|earlystop|pruner|stopper|pruning|stop", "early_terminate",
     "or train.patience, for a run that no longer gets better", LIKELY},
    {"program|cmd|script|exec|executable|run|shell", "command|task", "", LIKELY},
    {"command", "task", "{\"command\": […]}", LIKELY},
    {"dependson|afterok|waitfor", "after", "", LIKELY},
    {"initfrom|pretrained|finetune|checkpoint|resumefrom|weights", "start_from", "the id of a run",
     LIKELY},
    {"direction|mode|optimize", "goal", "", LIKELY},
    {"memory|ram|mem|memorymb|maxmemory|memorylimit|memorygb", "memory_mib", "in MiB", LIKELY},
    {"time|timeout|maxtime|walltime|maxseconds|maxruntime|timelimit", "seconds", "", LIKELY},
    {"idle|idletimeout", "idle_seconds", "", LIKELY},
    {"graceperiod|minepochs|miniterations|startiter|minresource", "min_iter", "", LIKELY},
    {"interval|frequency|period", "every", "", LIKELY},
    {"startuptrials|nstartuptrials|mintrials|nminruns", "startup", "", LIKELY},
    {"reductionfactor|factor", "eta", "", LIKELY},
    {"nbrackets|numbrackets", "brackets", "", LIKELY},
    /* a parameter */
    {"choices|options|list|categories|choice|grid", "values|categorical", "", LIKELY},
    {"low|lower|start|from|minimum|lo|lowerbound", "min", "", LIKELY},
    {"high|upper|end|to|stop|maximum|hi|upperbound", "max", "", LIKELY},
    {"dist|prior|sampling", "distribution", "", LIKELY},
    {"log", "log_uniform_values|distribution",
     "\"log_uniform_values\": min and max are values, not exponents", LIKELY},
    {"step|quantum|steps|stride", "q", "", LIKELY},
    {"const|fixed|constantvalue|default", "value|constant", "", LIKELY},
    {"probability|probs|weight|p", "probabilities", "", LIKELY},
    {"mean|loc|center", "mu", "", LIKELY},
    {"std|stddev|sd|standarddeviation", "sigma", "", LIKELY},
    {"alpha", "a", "of a beta distribution", LIKELY},
    {"when|if|onlyif|conditions|conditional|activeif|parent|conditionon", "condition", "", LIKELY},
    {"constraint|forbidden|restrictions|restrict|conditions", "constraints", "", LIKELY},
    /* distributions */
    {"reciprocal|logfloat|logscale", "log_uniform_values",
     "min and max are the values themselves, not exponents", LIKELY},
    {"logint|qloguniformint", "q_log_uniform_values",
     "min and max are the values themselves, not exponents", LIKELY},
    {"int|integer|randint|intrange", "int_uniform", "", LIKELY},
    {"float|double|real|range", "uniform", "", LIKELY},
    {"category|enum", "categorical", "", LIKELY},
    {"gaussian|truncnormal|truncatednormal|gauss", "normal", "", LIKELY},
    /* methods, rules */
    {"gridsearch|exhaustive|gridsearchcv|full", "grid", "", LIKELY},
    {"randomsearch|rs|randomizedsearch|randomsampling", "random", "", LIKELY},
    {"qmc|quasirandom|halton|latinhypercube|lhs|lowdiscrepancy", "sobol", "", LIKELY},
    {"treestructuredparzenestimator|treeparzen|parzen|tpesampler|multivariatetpe|motpe", "tpe", "",
     LIKELY},
    {"bayes|bayesian|bayesopt|bayesianoptimization|gaussianprocess|gpsampler|gpei|botorch|kriging",
     "gp", "a Gaussian process", LIKELY},
    {"optuna|hyperopt|smac", "tpe", "the method that models what runs have shown", LIKELY},
    {"hpbandster|tunebohb|tpehyperband", "bohb", "", LIKELY},
    {"cma|evolution|evolutionstrategy|cmaessampler|ipopcmaes|bipopcmaes", "cmaes", "", LIKELY},
    {"automatic|autosampler|any|best", "auto", "", LIKELY},
    {"populationbasedtraining|population|pb2", "pbt", "", LIKELY},
    {"differentialevolution|de", "dehb", "", LIKELY},
    {"genetic|adaptive|anneal", "coarse_to_fine|tpe",
     "this one goes by what runs have shown", LIKELY},
    {"asha|halving|sha|successivehalvingpruner|ashascheduler|asynchyperband",
     "successive_halving", "", LIKELY},
    {"hyperbandpruner", "hyperband", "", LIKELY},
    {"percentilepruner|quantile", "percentile", "", LIKELY},
    {"medianstopping|medianpruner|medianstoppingrule|medianrule", "median", "", LIKELY},
    {"envelope|hyperband|successivehalving", "median|coarse_to_fine", "", LIKELY},
    /* kinds of networks and layers */
    {"cnn|conv|convnet|convolution|convolutional|conv2d|resnet|lenet|vgg|alexnet|convolution2d|"
     "conv1d|conv3d",
     "sequential|conv2d", "with conv2d in model.layers", LIKELY},
    {"dnn|ann|fnn|ffn|feedforward|dense|fc|fullyconnected|perceptron|linear|multilayerperceptron|"
     "mlpclassifier|mlpregressor",
     "mlp|dense", "", LIKELY},
    {"bilstm", "lstm", "with \"bidirectional\"", LIKELY},
    {"bigru", "gru", "with \"bidirectional\"", LIKELY},
    {"simplernn|elman|recurrent", "rnn", "", LIKELY},
    {"transformer|attention|bert|gpt|vit|selfattention|embedding", "?rnn",
     "there are no attention or embedding layers", LIKELY},
    {"maxpooling|maxpool2d|maxpooling2d|pool|pooling", "max_pool", "", LIKELY},
    {"avgpooling|avgpool2d|averagepool|averagepooling2d|averagepooling|meanpool", "avg_pool", "",
     LIKELY},
    {"batchnorm1d|batchnorm2d", "batch_norm", "", LIKELY},
    {"ln|layernormalization", "layer_norm|layer", "", LIKELY},
    {"skip|resblock|residualblock|skipconnection|shortcut", "residual", "", LIKELY},
    {"reshape", "flatten", "", LIKELY},
    /* choices */
    {"sgdmomentum|momentumsgd|sgdm|sgdwithmomentum", "momentum", "", LIKELY},
    {"nag|nesterovmomentum|sgdnesterov", "nesterov", "", LIKELY},
    {"adamweightdecay|adamwtorch|adamwhf", "adamw", "", LIKELY},
    {"rms", "rmsprop", "", LIKELY},
    {"nadam|radam|adamax|amsgrad|adabelief|adafactor|lamb|lion|adabound|ftrl|lars|lbfgs|muon",
     "adam", "the nearest that there is", LIKELY},
    {"ce|crossentropyloss|nll|nllloss|categoricalcrossentropy|sparsecategoricalcrossentropy|"
     "softmax|logloss|softmaxcrossentropy|xent|celoss",
     "cross_entropy", "", LIKELY},
    {"bce|bceloss|bcewithlogits|bcewithlogitsloss|binarycrossentropyloss", "binary_cross_entropy",
     "", LIKELY},
    {"meansquarederror|mseloss|l2loss|squarederror|rmse|squared", "mse|val_loss", "", LIKELY},
    {"meanabsoluteerror|l1|l1loss|maeloss|absolute", "mae|l2", "", LIKELY},
    {"smoothl1|smoothl1loss|huberloss", "huber", "", LIKELY},
    {"swish|silu|mish|softplus|selu|celu", "gelu|elu", "the nearest that there is", LIKELY},
    {"logistic", "sigmoid|mlp", "", LIKELY},
    {"lrelu|prelu|rrelu", "leaky_relu", "", LIKELY},
    {"kaiming|kaiminguniform|kaimingnormal|henormal|heuniform", "he", "", LIKELY},
    {"glorot|glorotuniform|glorotnormal|xavieruniform|xaviernormal", "xavier", "", LIKELY},
    {"ortho", "orthogonal", "", LIKELY},
    {"zero", "zeros", "", LIKELY},
    {"standardscaler|zscore|standardization|meanstd", "standard", "", LIKELY},
    {"minmaxscaler|unit|zeroone", "min_max", "", LIKELY},
    {"cosineannealing|cosinedecay|cosineannealinglr|cosineschedule|cosinewithwarmup", "cosine", "",
     LIKELY},
    {"onecyclelr|1cycle", "one_cycle", "", LIKELY},
    {"reducelronplateau|reduceonplateau|rlrop", "plateau", "", LIKELY},
    {"steplr|multistep|multisteplr|piecewise|staircase", "step", "", LIKELY},
    {"exp|exponentiallr|exponentialdecay", "exponential", "", LIKELY},
    {"no|off|false|null|disabled", "none|constant", "", LIKELY},
    {"bynorm|global|byglobalnorm", "global_norm", "", LIKELY},
    {"byvalue", "value", "", LIKELY},
    {"min|minimise|minimum|lower|descending|less|down", "minimize", "", LIKELY},
    {"max|maximise|maximum|higher|ascending|greater|up", "maximize", "", LIKELY},
    {"loss|validationloss|testloss|evalloss|validloss|devloss|bestvalloss", "val_loss", "",
     LIKELY},
    {"valaccuracy|accuracy|acc|testaccuracy|testacc|validationaccuracy|evalaccuracy|validacc|"
     "valaccuracyscore|top1|evalacc|bestvalacc",
     "val_acc", "", LIKELY},
    {"trainaccuracy|trainingaccuracy", "train_acc", "", LIKELY},
    {"trainingloss", "train_loss", "", LIKELY},
    {"f1|f1score|valf1score|macrof1", "val_f1", "", LIKELY},
    {"r2|r2score|valr2score", "val_r2", "", LIKELY},
    {"valmse|valmae|valrmse|mse|mae|error|valerror|perplexity|mape", "val_loss",
     "train.loss says which loss it is", LIKELY},
    {"auc|rocauc|valauc|precision|recall|ap|map|ndcg", "val_f1|val_acc",
     "the nearest that there is", LIKELY},
    {"skip|remove|ignore|omit|delete", "drop", "", LIKELY},
    {"mean|fill|interpolate|median", "impute", "", LIKELY},
    {"fail|raise|wait|ask|abort", "hold", "", LIKELY},
    {"classify|classifier|binary|multiclass|class", "classification", "", LIKELY},
    {"regress|regressor|continuous", "regression", "", LIKELY},
    {"mnist|ubyte|idxubyte|gz|emnist", "idx", "", LIKELY},
    {"numpy|np", "npy", "", LIKELY},
    {"svm|svmlight|svmformat|sparse", "libsvm", "", LIKELY},
    {"tab|tabs|tabseparated", "tsv", "", LIKELY},
    {"txt|text|excel|xlsx|xls|parquet|json|jsonl|pickle|pkl|hdf5|h5|feather|arff|mat|images|png|"
     "jpg|imagefolder|sqlite",
     "csv", "which it can be saved as", LIKELY},
};

/* Without case and joints; false: too long for a word of the field. */
static bool fold(const char *word, char out[WORD_MAX])
{
    size_t len = 0;

    for (; *word; word++) {
        if (strchr("_-./ :", *word))
            continue;
        if (len + 1 == WORD_MAX)
            return false;
        out[len++] = (char)tolower((unsigned char)*word);
    }
    out[len] = '\0';
    return len > 0;
}

bool synonym_same_word(const char *a, const char *b)
{
    char x[WORD_MAX], y[WORD_MAX];

    return fold(a, x) && fold(b, y) && strcmp(x, y) == 0;
}

int synonym_same_in(const char *word, const char *const *names, size_t count)
{
    int found = -1;

    for (size_t i = 0; i < count; i++) {
        if (!synonym_same_word(word, names[i]))
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

/* Is word one of the words, which stand between '|'? */
static bool among(const char *word, const char *words)
{
    size_t len = strlen(word);

    for (const char *p = words; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, word, len) == 0 && (p[len] == '|' || !p[len]))
            return true;
    return false;
}

/* The first of the targets that is one of the names. */
static const char *pick(const char *targets, const char *const *names, size_t count)
{
    for (const char *p = targets; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        size_t len = strcspn(p, "|");
        for (size_t i = 0; i < count; i++)
            if (strlen(names[i]) == len && memcmp(names[i], p, len) == 0)
                return names[i];
    }
    return NULL;
}

struct synonym synonym_find(const char *word, const char *const *names, size_t count)
{
    int same = synonym_same_in(word, names, count);
    char folded[WORD_MAX];

    if (same >= 0)
        return (struct synonym){names[same], "", true};
    if (!fold(word, folded))
        return (struct synonym){NULL, "", false};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        if (!among(folded, r->words))
            continue;
        bool none = r->targets[0] == '?';
        const char *name = pick(r->targets + none, names, count);
        if (name)
            return (struct synonym){none ? NULL : name, r->note, r->same};
    }
    return (struct synonym){NULL, "", false};
}

bool synonym_row(size_t i, const char **words, const char **targets)
{
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        if (rows[k].same != SAME || i-- > 0)
            continue;
        *words = rows[k].words;
        *targets = rows[k].targets;
        return true;
    }
    return false;
}

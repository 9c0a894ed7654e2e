/* Every refusal of a specification: its code, its JSON path, and what it says is allowed. */
#include "expect.h"

#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/spec.h"

/* Those that a spec may name, up to the first that the daemon alone makes. */
#define METHODS "coarse_to_fine, grid, random"

static const struct refusal top[] = {
    {"[]", ERR_TYPE, "$", "an object"},
    {"3", ERR_TYPE, "$", "an object"},
    {"{}", ERR_MISSING, "$.data", "the data to train on"},
    {"{" DATA "," CAP ",\"method\":\"grid\"}", ERR_MISSING, "$.parameters", "at least one parameter"},
    {"{" DATA "," DEPTH "}", ERR_MISSING, "$.run_cap", "number of runs"},
    {"{" DATA "," DEPTH ",\"method\":\"random\"}", ERR_MISSING, "$.run_cap", "number of runs"},
    {WITH("\"epoch\":3"), ERR_KEY, "$.epoch", "did you mean epochs? one of: name, method"},
    {WITH("\"runcap\":3"), ERR_KEY, "$.runcap", "did you mean run_cap?"},
    {WITH("\"learning_rate\":3"), ERR_KEY, "$.learning_rate", "did you mean train.learning_rate?"},
    {WITH("\"train.momentum\":3"), ERR_KEY, "$[\"train.momentum\"]", "mean train.momentum?"},
    {WITH("\"early_stop\":{}"), ERR_KEY, "$.early_stop", "one of: name"},
    {WITH("\"early_terminate\":{}"), ERR_MISSING, "$.early_terminate.type", "the name of a rule"},
#define STOP(more) WITH("\"early_terminate\":{" more "}")
    {STOP("\"type\":\"median\",\"lag\":0"), ERR_VALUE, "$.early_terminate.lag",
     "which worker comes first"},
    {STOP("\"type\":\"median\",\"lag\":1001"), ERR_VALUE, "$.early_terminate.lag", "from 1 to 1000"},
    {STOP("\"type\":\"median\",\"percentile\":25"), ERR_VALUE, "$.early_terminate.percentile",
     "nothing with rule median; it is of percentile"},
    {STOP("\"type\":\"percentile\",\"percentile\":101"), ERR_VALUE,
     "$.early_terminate.percentile", "from 0 to 100"},
    {STOP("\"type\":\"median\",\"every\":2,\"eta\":3"), ERR_VALUE, "$.early_terminate.every",
     "either every or eta"},
    {STOP("\"type\":\"hyperband\",\"every\":2"), ERR_VALUE, "$.early_terminate.every",
     "nothing with rule hyperband"},
    {STOP("\"type\":\"hyperband\",\"min_iter\":2,\"max_iter\":9"), ERR_VALUE,
     "$.early_terminate.max_iter", "either min_iter or max_iter"},
    {STOP("\"type\":\"hyperband\",\"max_iter\":2"), ERR_VALUE, "$.early_terminate.max_iter",
     "eta or more"},
    {STOP("\"type\":\"hyperband\",\"s\":2"), ERR_VALUE, "$.early_terminate.s",
     "nothing without max_iter"},
    {STOP("\"type\":\"hyperband\",\"eta\":1"), ERR_VALUE, "$.early_terminate.eta",
     "from 1.1 to 1000"},
    {STOP("\"type\":\"hyperband\",\"strict\":1"), ERR_VALUE, "$.early_terminate.strict",
     "true or false"},
    {STOP("\"type\":\"median\",\"strict\":true"), ERR_VALUE, "$.early_terminate.strict",
     "it is of successive_halving, hyperband"},
    {STOP("\"type\":\"successive_halving\",\"brackets\":2"), ERR_VALUE,
     "$.early_terminate.brackets", "it is of hyperband"},
#undef STOP
    {WITH("\"limits\":3"), ERR_TYPE, "$.limits", "an object"},
    {WITH("\"limits\":{\"memory\":3}"), ERR_KEY, "$.limits.memory", "one of: memory_mib"},
    {WITH("\"limits\":{\"memory_mib\":0}"), ERR_VALUE, "$.limits.memory_mib", "an integer from 1"},
    {WITH("\"limits\":{\"seconds\":0}"), ERR_VALUE, "$.limits.seconds", "seconds above 0"},
    {WITH("\"limits\":{\"idle_seconds\":\"1 h\"}"), ERR_VALUE, "$.limits.idle_seconds",
     "a number of seconds above 0"},
    {WITH("\"limits\":{\"failures\":-1}"), ERR_VALUE, "$.limits.failures", "from 0 to 1000000"},
    {WITH("\"on\":3"), ERR_TYPE, "$.on", "a string"},
    {WITH("\"on\":\"slrum\""), ERR_VALUE, "$.on", "did you mean slurm?"},
    {WITH("\"on\":\"local:x\""), ERR_VALUE, "$.on", "no partitions"},
    {WITH("\"on\":\"slurm:\""), ERR_VALUE, "$.on", "name of a partition"},
    {WITH("\"on\":\"slurm:-p\""), ERR_VALUE, "$.on", "name of a partition"},
    {WITH("\"on\":{}"), ERR_MISSING, "$.on.launcher", "local or slurm"},
    {WITH("\"on\":{\"launcher\":\"slurm\",\"slot\":2}"), ERR_KEY, "$.on.slot", "mean slots?"},
    {WITH("\"on\":{\"launcher\":\"slurm\",\"slots\":0}"), ERR_VALUE, "$.on.slots", "from 1 to"},
    {WITH("\"on\":{\"launcher\":\"local\",\"slots\":2}"), ERR_VALUE, "$.on", "--workers"},
    {WITH("\"on\":{\"launcher\":\"slurm\",\"options\":\"-n1\"}"), ERR_TYPE, "$.on.options",
     "a list of options"},
    {WITH("\"on\":{\"launcher\":\"slurm\",\"options\":[\"--arr=0-9\"]}"), ERR_VALUE,
     "$.on.options[0]", "which jobs are the sweep's"},
    {WITH("\"on\":{\"launcher\":\"slurm\",\"options\":[\"-Jx\"]}"), ERR_VALUE,
     "$.on.options[0]", "which jobs are the sweep's"},
    {WITH("\"on\":{\"launcher\":\"slurm\",\"options\":[\"--mem=1\",\"x.sh\"]}"), ERR_VALUE,
     "$.on.options[1]", "-x value"},
    {WITH("\"on\":{\"launcher\":\"slurm\",\"options\":[\"--\"]}"), ERR_VALUE,
     "$.on.options[0]", "--name=value"},
    {WITH("\"Seed\":3"), ERR_KEY, "$.Seed", "did you mean seed?"},
    {WITH("\"name\":3"), ERR_TYPE, "$.name", "a string"},
    {WITH("\"name\":\"\""), ERR_VALUE, "$.name", "1 to 127 bytes"},
    {WITH("\"name\":\"a\\nb\""), ERR_VALUE, "$.name", "without control"},
    {WITH("\"method\":\"bayes\""), ERR_VALUE, "$.method", "one of: " METHODS},
    {WITH("\"method\":\"gird\""), ERR_VALUE, "$.method", "did you mean grid?"},
    {WITH("\"method\":2"), ERR_TYPE, "$.method", "one of: coarse"},
    {WITH("\"method\":\"by_hnad\""), ERR_VALUE, "$.method", "one of: " METHODS},
    {"{" DATA "," CAP ",\"parameters\":{},\"method\":\"random\"}", ERR_VALUE, "$.parameters",
     "at least one"},
    {WITH("\"task\":3"), ERR_TYPE, "$.task", "an object"},
    {WITH("\"task\":\"trainer\""), ERR_TYPE, "$.task", "an object"},
    {WITH("\"task\":{}"), ERR_MISSING, "$.task", "a kind of task, one of: trainer"},
    {WITH("\"task\":{\"comand\":[]}"), ERR_KEY, "$.task.comand", "a kind of task: "},
    {WITH("\"task\":{\"trianer\":{}}"), ERR_KEY, "$.task.trianer", "did you mean trainer?"},
    {WITH("\"task\":{\"trainer\":3}"), ERR_TYPE, "$.task.trainer", "{}: what it trains is said in"},
    {WITH("\"task\":{\"trainer\":{\"data\":{}}}"), ERR_KEY, "$.task.trainer",
     "{}: what it trains is said in"},
    {WITH("\"task\":{\"trainer\":{},\"env\":{}}"), ERR_KEY, "$.task.env", "one of: trainer"},
    {WITH("\"repeat_share\":0.51"), ERR_VALUE, "$.repeat_share", "a number from 0 to 0.5"},
    {WITH("\"max_hours\":0"), ERR_VALUE, "$.max_hours", "above 0, at most 8760"},
    {WITH("\"max_hours\":\"8\""), ERR_VALUE, "$.max_hours", "a number of hours"},
    {WITH("\"max_hours\":9000"), ERR_VALUE, "$.max_hours", "at most 8760"},
    {WITH("\"until\":\"24:00\""), ERR_VALUE, "$.until", "from \"00:00\" to \"23:59\""},
    {WITH("\"until\":\"7:5\""), ERR_VALUE, "$.until", "a time of the local day"},
    {WITH("\"until\":\"07:30 \""), ERR_VALUE, "$.until", "a time of the local day"},
    {WITH("\"until\":7.5"), ERR_VALUE, "$.until", "a time of the local day"},
    {WITH("\"repeat_along\":1"), ERR_TYPE, "$.repeat_along", "true or false"},
    {WITH("\"rounds\":1"), ERR_TYPE, "$.rounds", "true or false"},
    {WITH("\"method\":\"tpe\",\"rounds\":true"), ERR_VALUE, "$.rounds", "coarse_to_fine"},
    {WITH("\"repeat_share\":true"), ERR_VALUE, "$.repeat_share", "a number from 0 to 0.5"},
    {WITH("\"treat\":true,\"treat_share\":0.6,\"repeat_share\":0.4"), ERR_VALUE, "$.repeat_share",
     "at most 0.3 beside treat_share 0.6"},
    {WITH("\"without_remedies\":\"ema\""), ERR_TYPE, "$.without_remedies", "a list of names"},
    {WITH("\"without_remedies\":[\"l2\",\"mixpu\"]"), ERR_VALUE, "$.without_remedies[1]",
     "did you mean mixup?"},
    {WITH("\"without_remedies\":[\"l2\",\"l2\"]"), ERR_VALUE, "$.without_remedies[1]",
     "each remedy once"},
    {WITH("\"method\":\"random\",\"least_gain\":1.5"), ERR_VALUE, "$.least_gain",
     "a number from 0 to 1"},
    {WITH("\"method\":\"random\",\"least_gain\":true"), ERR_VALUE, "$.least_gain",
     "a number from 0 to 1"},
    {WITH("\"least_gain\":0.01"), ERR_VALUE, "$.least_gain", "0 with method coarse_to_fine"},
    {WITH("\"method\":\"tpe\",\"least_gain\":0.01,\"early_terminate\":{\"type\":"
          "\"successive_halving\",\"promote\":true}"), ERR_VALUE, "$.least_gain", "promote"},
    {WITH("\"method\":\"tpe\",\"warm_start\":[{\"swep\":3}]"), ERR_KEY, "$.warm_start[0].swep",
     "did you mean sweep?"},
    {WITH("\"method\":\"tpe\",\"warm_start\":[{\"alike\":true}]"), ERR_MISSING,
     "$.warm_start[0].sweep", "the id of an earlier sweep"},
    {WITH("\"method\":\"tpe\",\"warm_start\":[{\"sweep\":3,\"alike\":1}]"), ERR_TYPE,
     "$.warm_start[0].alike", "true or false"},
    {WITH("\"treats\":{\"run\":1}"), ERR_KEY, "$.treats", "did you mean treat?"},
    {WITH("\"metric\":{\"name\":\"reward\",\"goal\":\"maximize\"}"), ERR_VALUE, "$.metric.name",
     "one of: val_loss"},
    {WITH("\"metric\":\"val_loss\""), ERR_TYPE, "$.metric", "an object"},
    {WITH("\"metric\":{\"name\":\"val_los\"}"), ERR_VALUE, "$.metric.name", "mean val_loss?"},
    {WITH("\"metric\":{\"nam\":\"val_loss\"}"), ERR_KEY, "$.metric.nam", "did you mean name?"},
    {WITH("\"metric\":{\"goal\":\"maximise\"}"), ERR_VALUE, "$.metric.goal", "mean maximize?"},
    {WITH("\"model\":{\"depht\":1}"), ERR_KEY, "$.model.depht", "did you mean depth?"},
    {WITH("\"train\":{\"optimizer\":\"adm\"}"), ERR_VALUE, "$.train.optimizer", "mean adam?"},
    {WITH("\"epochs\":0"), ERR_VALUE, "$.epochs", "an integer from 1 to 1000000"},
    {WITH("\"epochs\":1.5"), ERR_VALUE, "$.epochs", "an integer"},
    {WITH("\"epochs\":\"10\""), ERR_TYPE, "$.epochs", "an integer"},
    {"{" DATA "," DEPTH ",\"run_cap\":0}", ERR_VALUE, "$.run_cap", "from 1 to 1000000"},
    {"{" DATA "," DEPTH ",\"run_cap\":1000001}", ERR_VALUE, "$.run_cap", "from 1 to 1000000"},
    {WITH("\"seed\":-1"), ERR_VALUE, "$.seed", "an integer from 0"},
    {WITH("\"seed\":1.5"), ERR_VALUE, "$.seed", "an integer from 0"},
    {WITH("\"seed\":9007199254740994"), ERR_VALUE, "$.seed", "a decimal string"},
    {WITH("\"seed\":\"18446744073709551616\""), ERR_VALUE, "$.seed", "18446744073709551615"},
    {WITH("\"seed\":[]"), ERR_TYPE, "$.seed", "an integer from 0"},
    {WITH("\"lag\":8"), ERR_VALUE, "$.lag", "nothing with method coarse_to_fine"},
    {WITH("\"method\":\"tpe\",\"lag\":0"), ERR_VALUE, "$.lag", "an integer from 1 to 1000: with 0"},
    {WITH("\"method\":\"tpe\",\"lag\":1001"), ERR_VALUE, "$.lag", "from 1 to 1000"},
    {WITH("\"method\":\"tpe\",\"lag\":1.5"), ERR_VALUE, "$.lag", "an integer"},
    {WITH("\"method\":\"tpe\",\"lag\":\"8\""), ERR_TYPE, "$.lag", "an integer"},
    {WITH("\"priority\":1000001"), ERR_VALUE, "$.priority", "from -1000000 to 1000000"},
    {WITH("\"start_from\":0"), ERR_VALUE, "$.start_from", "an integer from 1"},
    {WITH("\"after\":0"), ERR_VALUE, "$.after", "an integer from 1"},
    {WITH("\"after\":\"3\""), ERR_TYPE, "$.after", "an integer from 1"},
};

static const struct refusal data[] = {
    {WITH_DATA("\"fashion\""), ERR_TYPE, "$.data", "an object"},
    {WITH_DATA("{}"), ERR_MISSING, "$.data.name", "\"name\" of a data set, or \"path\""},
    {WITH_DATA("{\"name\":\"m\"}"), ERR_MISSING, "$.data.validation", "at least 1"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":0}"), ERR_VALUE, "$.data.validation", "at least 1"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":-1}"), ERR_VALUE, "$.data.validation", "from 0"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":0.1}"), ERR_VALUE, "$.data.validation", "from 0"},
    {WITH_DATA("{\"name\":\"m\",\"validaton\":5}"), ERR_KEY, "$.data.validaton",
     "did you mean validation?"},
    {WITH_DATA("{\"name\":\"m\",\"path\":\"/x\",\"validation\":5}"), ERR_VALUE, "$.data",
     "not both"},
    {WITH_DATA("{\"name\":\"m\",\"format\":\"idx\",\"validation\":5}"), ERR_KEY, "$.data.format",
     "only with \"path\""},
    {WITH_DATA("{\"path\":\"/x\",\"validation\":5}"), ERR_MISSING, "$.data.format", "idx, csv"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"idxx\",\"validation\":5}"), ERR_VALUE,
     "$.data.format", "did you mean idx?"},
    {WITH_DATA("{\"path\":\"x/y\",\"format\":\"idx\",\"validation\":5}"), ERR_VALUE, "$.data.path",
     "an absolute path"},
    {WITH_DATA("{\"path\":\"\",\"format\":\"idx\",\"validation\":5}"), ERR_VALUE, "$.data.path",
     "1 to 1023 bytes"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":5,\"limit\":5}"), ERR_VALUE, "$.data.limit",
     "more than the 5 samples"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":5,\"limit\":-1}"), ERR_VALUE, "$.data.limit",
     "an integer from 0"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":5,\"test_path\":\"/t\"}"), ERR_KEY,
     "$.data.test_path", "only with \"path\""},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"validation_path\":\"/v\","
               "\"validation\":5}"),
     ERR_KEY, "$.data.validation", "nothing beside \"validation_path\""},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"validation_path\":\"v\"}"), ERR_VALUE,
     "$.data.validation_path", "an absolute path"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"target_path\":\"/v\",\"validation\":5}"),
     ERR_KEY, "$.data.target_path", "only with format npy"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"npy\",\"validation\":5}"), ERR_MISSING,
     "$.data.target_path", "for format npy"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"npy\",\"target_path\":\"/y\","
               "\"validation_path\":\"/v\"}"),
     ERR_MISSING, "$.data.validation_target_path", "for format npy"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"npy\",\"target_path\":\"/y\","
               "\"test_target_path\":\"/v\",\"validation\":5}"),
     ERR_KEY, "$.data.test_target_path", "only with \"test_path\""},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"libsvm\",\"target\":\"y\",\"validation\":5}"),
     ERR_KEY, "$.data.target", "only with formats csv, tsv and npz"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"npz\",\"header\":true,\"validation\":5}"), ERR_KEY,
     "$.data.header", "only with formats csv and tsv"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"header\":\"a\",\"validation\":5}"),
     ERR_TYPE, "$.data.header", "true or false, or the number of its line"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"npy\",\"target_path\":\"/y\",\"ignore\":[1]}"),
     ERR_KEY, "$.data.ignore", "only with formats csv and tsv"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"features\":\"x\"}"), ERR_KEY,
     "$.data.features", "only with format npz"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"ignore\":[\"a\",0]}"), ERR_VALUE,
     "$.data.ignore[1]", "1"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"missing\":[\"?\",3]}"), ERR_TYPE,
     "$.data.missing[1]", "a word"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"delimiter\":\":\"}"), ERR_VALUE,
     "$.data.delimiter", "comma, semicolon, tab, bar, blanks, or the character itself"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"encoding\":\"UTF-8//IGNORE\"}"), ERR_VALUE,
     "$.data.encoding", "iconv --list"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"decimal\":\",\",\"thousands\":\",\"}"),
     ERR_VALUE, "$.data.thousands", "another mark than data.decimal"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"without_target\":\"keep\"}"), ERR_VALUE,
     "$.data.without_target", "refuse, drop"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"max_categories\":1}"), ERR_VALUE,
     "$.data.max_categories", "2"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"target\":0,\"validation\":5}"), ERR_VALUE,
     "$.data.target", "an integer from 1"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"target\":true,\"validation\":5}"), ERR_TYPE,
     "$.data.target", "its number from 1"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"npz\",\"target\":2,\"validation\":5}"), ERR_TYPE,
     "$.data.target", "the name of an array"},
    {WITH_DATA("{\"path\":\"/x\",\"format\":\"csv\",\"task\":\"clasification\","
               "\"validation\":5}"),
     ERR_VALUE, "$.data.task", "did you mean classification?"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":5,\"shuffle\":true}"), ERR_KEY, "$.data.shuffle",
     "did you mean train.shuffle?"},
    {WITH_DATA("{\"name\":\"m\",\"validation\":5,\"on_nan\":\"dorp\"}"), ERR_VALUE, "$.data.on_nan",
     "did you mean drop? one of: hold, drop, impute"},
};

#define AT(key) "$.parameters." key

static const struct refusal parameters[] = {
    {"{" DATA "," CAP ",\"parameters\":[]}", ERR_TYPE, "$.parameters", "an object"},
    {WITH_PARAMETERS(""), ERR_VALUE, "$.parameters", "at least one parameter"},
    {WITH_PARAMETERS("\"depth\":{\"value\":3}"), ERR_VALUE, "$.parameters", "at least one"},
    {WITH_PARAMETERS("\"depht\":{\"values\":[3]}"), ERR_KEY, AT("depht"), "did you mean depth?"},
    {WITH_PARAMETERS("\"train.learningrat\":{}"), ERR_KEY, "$.parameters[\"train.learningrat\"]",
     "did you mean learning_rate?"},
    {WITH_PARAMETERS("\"momentun\":{}"), ERR_KEY, AT("momentun"), "did you mean train.momentum?"},
    {WITH_PARAMETERS("\"momentum\":{}"), ERR_MISSING, AT("momentum"), "\"value\", \"values\""},
    {WITH_PARAMETERS("\"dropout_tate\":{}"), ERR_KEY, AT("dropout_tate"), "one of: data.limit"},
    {WITH_PARAMETERS("\"depth\":3"), ERR_TYPE, AT("depth"), "{\"value\": 3}"},
    {WITH_PARAMETERS("\"optimizer\":\"adam\""), ERR_TYPE, AT("optimizer"), "{\"value\": \"adam\"}"},
    {WITH_PARAMETERS("\"depth\":[1,2]"), ERR_TYPE, AT("depth"), "such as {\"values\": [1,2]}"},
    {WITH_PARAMETERS("\"depth\":null"), ERR_TYPE, AT("depth"), "an object"},
    {WITH_PARAMETERS("\"depth\":{}"), ERR_MISSING, AT("depth"), "\"value\", \"values\", or"},
    {WITH_PARAMETERS("\"depth\":{\"distribution\":\"uniform\"}"), ERR_MISSING, AT("depth"),
     "\"value\""},
    {WITH_PARAMETERS("\"depth\":{\"vlues\":[1]}"), ERR_KEY, AT("depth.vlues"), "mean value"},
    {WITH_PARAMETERS("\"depth\":{\"mu\":1}"), ERR_KEY, AT("depth.mu"), "only with distribution normal"},
    {WITH_PARAMETERS("\"depth\":{\"value\":1,\"values\":[1]}"), ERR_VALUE, AT("depth"), "alone"},
    {WITH_PARAMETERS("\"depth\":{\"value\":1,\"max\":1}"), ERR_VALUE, AT("depth"), "alone"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1],\"min\":1}"), ERR_VALUE, AT("depth"), "either"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1}"), ERR_MISSING, AT("depth.max"), "beside \"min\""},
    {WITH_PARAMETERS("\"depth\":{\"max\":1}"), ERR_MISSING, AT("depth.min"), "beside \"max\""},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1],\"q\":1}"), ERR_KEY, AT("depth.q"), "only with"},
    {WITH_PARAMETERS("\"depth\":{\"value\":2.5}"), ERR_VALUE, AT("depth.value"), "an integer"},
    {WITH_PARAMETERS("\"depth\":{\"values\":3}"), ERR_TYPE, AT("depth.values"), "a list"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[]}"), ERR_VALUE, AT("depth.values"), "at least one"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1,2,1]}"), ERR_VALUE, AT("depth.values[2]"),
     "each value once"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1,2.5]}"), ERR_VALUE, AT("depth.values[1]"),
     "an integer"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[257]}"), ERR_VALUE, AT("depth.values[0]"), "to 256"},
    {WITH_PARAMETERS("\"optimizer\":{\"values\":[\"sgd\",\"adma\"]}"), ERR_VALUE,
     AT("optimizer.values[1]"), "did you mean adam?"},
    {WITH_PARAMETERS("\"train.shuffle\":{\"values\":[true,true]}"), ERR_VALUE,
     "$.parameters[\"train.shuffle\"].values[1]", "each value once"},
    {WITH_PARAMETERS("\"train.momentum\":{\"values\":[0,-0.0]}"), ERR_VALUE,
     "$.parameters[\"train.momentum\"].values[1]", "each value once"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1],\"distribution\":\"uniform\"}"), ERR_VALUE,
     AT("depth.distribution"), "categorical here"},
    {WITH_PARAMETERS("\"depth\":{\"value\":1,\"distribution\":\"uniform\"}"), ERR_VALUE,
     AT("depth.distribution"), "constant here"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"distribution\":\"categorical\"}"), ERR_VALUE,
     AT("depth.distribution"), "with min and max: int_uniform"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"distribution\":\"pareto\"}"), ERR_VALUE,
     AT("depth.distribution"), "one of: constant"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"distribution\":\"int_unifrom\"}"), ERR_VALUE,
     AT("depth.distribution"), "did you mean int_uniform?"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"distribution\":7}"), ERR_TYPE,
     AT("depth.distribution"), "one of: constant"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"distribution\":\"uniform\"}"), ERR_VALUE,
     AT("depth.distribution"), "whole numbers: int_uniform"},
    {WITH_PARAMETERS("\"learning_rate\":{\"min\":0.1,\"max\":4,\"distribution\":\"int_uniform\"}"),
     ERR_VALUE, AT("learning_rate.min"), "an integer, for int_uniform"},
    {WITH_PARAMETERS("\"learning_rate\":{\"min\":1,\"max\":4.5,\"distribution\":\"int_uniform\"}"),
     ERR_VALUE, AT("learning_rate.max"), "an integer, for int_uniform"},
    {WITH_PARAMETERS("\"optimizer\":{\"min\":0,\"max\":1}"), ERR_KEY, AT("optimizer.min"),
     "\"values\": this setting has no numeric range"},
    {WITH_PARAMETERS("\"train.shuffle\":{\"min\":0,\"max\":1}"), ERR_KEY,
     "$.parameters[\"train.shuffle\"].min", "no numeric range"},
    {WITH_PARAMETERS("\"depth\":{\"min\":4,\"max\":4}"), ERR_VALUE, AT("depth"), "range is empty"},
    {WITH_PARAMETERS("\"depth\":{\"min\":4,\"max\":1}"), ERR_VALUE, AT("depth"), "min below max"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1.5,\"max\":4}"), ERR_VALUE, AT("depth.min"),
     "an integer"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":257}"), ERR_VALUE, AT("depth.max"), "to 256"},
    {WITH_PARAMETERS("\"depth\":{\"min\":\"1\",\"max\":2}"), ERR_TYPE, AT("depth.min"), "integer"},
    {WITH_PARAMETERS("\"learning_rate\":{\"min\":0,\"max\":1}"), ERR_VALUE, AT("learning_rate.min"),
     "a number above 0"},
    {WITH_PARAMETERS("\"depth\":{\"min\":0,\"max\":4,\"distribution\":\"log_uniform_values\"}"),
     ERR_VALUE, AT("depth.min"), "above 0, for a range on a log scale"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"q\":2}"), ERR_KEY, AT("depth.q"),
     "begins with q_"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"q\":0,\"distribution\":\"q_uniform\"}"),
     ERR_VALUE, AT("depth.q"), "an integer from 1"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"q\":0.5,\"distribution\":\"q_uniform\"}"),
     ERR_VALUE, AT("depth.q"), "an integer from 1"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"q\":\"2\",\"distribution\":\"q_uniform\"}"),
     ERR_TYPE, AT("depth.q"), "a number above 0"},
    {WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":4,\"q\":5,\"distribution\":\"q_uniform\"}"),
     ERR_VALUE, AT("depth.q"), "multiples from min to max"},
    {WITH_PARAMETERS("\"learning_rate\":{\"min\":0.1,\"max\":0.9,\"distribution\":\"q_uniform\"}"),
     ERR_VALUE, AT("learning_rate.q"), "(default 1)"},
    {WITH_PARAMETERS("\"learning_rate\":{\"min\":0.1,\"max\":1e6,\"q\":1e-300,"
                     "\"distribution\":\"q_uniform\"}"),
     ERR_VALUE, AT("learning_rate.q"), "1 to 2^53 multiples"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1]},\"model.depth\":{\"values\":[2]}"), ERR_VALUE,
     "$.parameters[\"model.depth\"]", "each setting once: depth is model.depth"},
    {WITH_PARAMETERS("\"depth\":{\"value\":1},\"model.depth\":{\"values\":[2]}"), ERR_VALUE,
     "$.parameters[\"model.depth\"]", "each setting once"},
    {WITH_PARAMETERS("\"optimizer\":{\"values\":[]}"), ERR_VALUE, AT("optimizer.values"),
     "at least one"},
    {WITH_PARAMETERS("\"optimizer\":{\"value\":\"adma\"}"), ERR_VALUE, AT("optimizer.value"),
     "did you mean adam?"},
    {WITH_PARAMETERS("\"optimizer\":{\"values\":[\"sgd\"],\"distribution\":\"uniform\"}"),
     ERR_VALUE, AT("optimizer.distribution"), "categorical here"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1],\"role\":3}"), ERR_TYPE, AT("depth.role"),
     "one of: none, learning_rate, optimizer"},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1],\"role\":\"optimiser\"}"), ERR_VALUE,
     AT("depth.role"), "did you mean optimizer?"},
    {WITH_PARAMETERS("\"optimizer\":{\"values\":[\"sgd\"],\"role\":\"lr\"}"), ERR_VALUE,
     AT("optimizer.role"), "one of: none, learning_rate"},
    {WITH_PARAMETERS("\"depth\":{\"value\":1,\"role\":\"none\"}"), ERR_KEY, AT("depth.role"),
     "only with \"values\" or \"min\" and \"max\""},
    {WITH_PARAMETERS("\"depth\":{\"values\":[1],\"rloe\":\"none\"}"), ERR_KEY, AT("depth.rloe"),
     "did you mean role?"},
    {WITH_PARAMETERS("\"learning_rate\":{\"values\":[1]},\"depth\":{\"values\":[1],"
                     "\"role\":\"learning_rate\"}"),
     ERR_VALUE, AT("depth.role"), "each role once: learning_rate is that of learning_rate"},
    {WITH_PARAMETERS("\"activation\":{\"values\":[\"elu\"],\"role\":\"optimizer\"},"
                     "\"optimizer\":{\"values\":[\"sgd\"]}"),
     ERR_VALUE, AT("optimizer"), "optimizer is that of activation; \"role\": \"none\""},
    {"{" DATA "," DEPTH "," CAP ",\"model\":{\"depth\":2}}", ERR_VALUE, AT("depth"),
     "either here or fixed as model.depth, not both"},
};

static const struct refusal grids[] = {
    {"{" DATA ",\"method\":\"grid\",\"parameters\":{\"depth\":{\"values\":[1]},"
     "\"learning_rate\":{\"min\":0.1,\"max\":0.5}}}",
     ERR_VALUE, AT("learning_rate"), "for method grid"},
    {"{" DATA ",\"method\":\"grid\",\"run_cap\":5,\"parameters\":{\"learning_rate\":"
     "{\"min\":0.1,\"max\":0.5,\"distribution\":\"log_uniform_values\"}}}",
     ERR_VALUE, AT("learning_rate"), "for method grid"},
    {"{" DATA ",\"method\":\"grid\",\"parameters\":{\"batch_size\":{\"min\":1,\"max\":1048576}}}",
     ERR_LIMIT, AT("batch_size"), "at most 1000000 runs"},
    {"{" DATA ",\"method\":\"grid\",\"parameters\":{\"batch_size\":{\"min\":1,\"max\":65536},"
     "\"width\":{\"min\":1,\"max\":16}}}",
     ERR_LIMIT, AT("width"), "at most 1000000 runs"},
};

static void refuse_all(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct spec out, before;
        struct errbuf err = {0};

        memset(&out, 0x5a, sizeof(out));
        before = out;
        int rc = spec_parse_text(cases[i].text, strlen(cases[i].text), &out, &err);
        expect_refusal(&cases[i], rc, &err);
        assert_memory_equal(&out, &before, sizeof(out));
        /* Nobody needs to want the reason. */
        assert_int_equal(spec_parse_text(cases[i].text, strlen(cases[i].text), &out, NULL), rc);
    }
}

static void bad_top_level_is_refused(void **state)
{
    refuse_all(top, ARRAY_LEN(top));
}

/* Nobody can submit one that the daemon alone makes: it is not offered. */
static void inner_methods_are_not_offered(void **state)
{
    static const char text[] = WITH("\"method\":\"by_hnad\"");
    struct errbuf err = {0};
    struct spec out;

    assert_int_equal(spec_parse_text(text, sizeof(text) - 1, &out, &err), ERR_VALUE);
    assert_null(strstr(err.allowed, "by_hand"));
}

static void bad_data_is_refused(void **state)
{
    refuse_all(data, ARRAY_LEN(data));
}

static void bad_parameters_are_refused(void **state)
{
    refuse_all(parameters, ARRAY_LEN(parameters));
}

static void bad_grids_are_refused(void **state)
{
    refuse_all(grids, ARRAY_LEN(grids));
}

static void text_that_is_not_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        WITH("\"seed\":NaN"),
        WITH("\"seed\":1e999"),
        WITH("\"seed\":1,\"seed\":1"),
        WITH("\"epochs\":1") "x",
        WITH("\"name\":\"\\u0000\""),
    };
    char deep[10000];
    struct spec out;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct errbuf err = {0};
        assert_int_equal(spec_parse_text(texts[i], strlen(texts[i]), &out, &err), ERR_PARSE);
        assert_true(err.message[0]);
    }
    memset(deep, '[', sizeof(deep));
    assert_int_equal(spec_parse_text(deep, sizeof(deep), &out, NULL), ERR_PARSE);
}

/* Keys and values as long as a line may be are cut, not overrun. */
static void long_words_are_cut_in_messages(void **state)
{
    struct buf text = {0};
    struct spec out;
    struct errbuf err = {0};

    buf_puts(&text, "{" DATA "," CAP ",\"parameters\":{\"");
    for (int i = 0; i < 5000; i++)
        buf_puts(&text, "ä");
    buf_puts(&text, "\":{\"values\":[1]}}}");
    assert_int_equal(spec_parse_text(text.data, text.len, &out, &err), ERR_KEY);
    assert_true(strncmp(err.key, "$.parameters[\"ää", 18) == 0);
    /* Still UTF-8: no half of a letter at the end. */
    size_t len = strlen(err.key);
    assert_true(len > 100 && (len - 14) % 2 == 0);
    buf_finish(&text);
}

static void too_many_values_are_refused(void **state)
{
    struct buf text = {0};
    struct spec out;
    struct errbuf err = {0};

    buf_puts(&text, "{" DATA "," CAP ",\"parameters\":{\"width\":{\"values\":[1");
    for (int i = 2; i <= SPACE_MAX_VALUES + 1; i++)
        buf_printf(&text, ",%d", i);
    buf_puts(&text, "]}}}");
    assert_int_equal(spec_parse_text(text.data, text.len, &out, &err), ERR_LIMIT);
    assert_string_equal(err.key, "$.parameters.width.values");
    buf_finish(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_top_level_is_refused),
        cmocka_unit_test(inner_methods_are_not_offered),
        cmocka_unit_test(bad_data_is_refused),
        cmocka_unit_test(bad_parameters_are_refused),
        cmocka_unit_test(bad_grids_are_refused),
        cmocka_unit_test(text_that_is_not_json_is_refused),
        cmocka_unit_test(long_words_are_cut_in_messages),
        cmocka_unit_test(too_many_values_are_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

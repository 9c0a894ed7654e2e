/* What charts and reports say, in English and in Chinese, the guide's own language. */
#ifndef SWEEPCTL_WORDS_H
#define SWEEPCTL_WORDS_H

#include "client/plot/site_words.h"

/* X(id, English, Chinese) */
#define WORD_MAP(X) \
    X(HISTORY, "History", "历史") \
    X(HISTORY_SAYS, \
      "Each run's metric by its number; the line is the best so far. Hollow: stopped " \
      "early. Crosses at the foot: runs without a value.", \
      "每次运行的指标，按编号排列；折线为当时的最优值。空心：提前停止。底部的叉：没有数值的" \
      "运行。") \
    X(CURVES, "Learning curves", "学习曲线") \
    X(CURVES_SAYS, \
      "Validation loss by epoch, coloured by label; the best run drawn bold, with its " \
      "training loss dashed. The band below tells how the best run's label changed.", \
      "各轮次的 val loss，颜色为标签；最优运行加粗，其 train loss 为虚" \
      "线。下方色带为最优运行标签的变化。") \
    X(CURVES_ONE_SAYS, \
      "Validation loss (solid) and training loss (dashed) by epoch. The bands tell how " \
      "the label changed.", \
      "各轮次的 val loss（实线）与 train loss（虚线）。色带为标签的变化" \
      "。") \
    X(CURVES_EACH_SAYS, \
      "Validation loss (solid) and training loss (dashed) by epoch, a colour for each run.", \
      "各轮次的 val loss（实线）与 train loss（虚线），每次运行一种颜色。") \
    X(PARALLEL, "Parallel coordinates", "平行坐标") \
    X(PARALLEL_SAYS, \
      "A line is a run, through its value of every parameter to its metric; the best " \
      "tenth is drawn strong.", \
      "一条线是一次运行，经过各参数的取值直到指标；最优的十分之一加重。") \
    X(SLICE, "Slices", "切片") \
    X(SLICE_SAYS, "The metric by each parameter alone.", "指标与单个参数的关系。") \
    X(CONTOUR, "Contour", "等值图") \
    X(CONTOUR_SAYS, \
      "The metric over two parameters, between the runs by inverse distance; the " \
      "darker the better. Points are runs.", \
      "两个参数上的指标，运行之间按反距离插值；越深越好。点为运行。") \
    X(IMPORTANCE, "Importance of the parameters", "参数的重要性") \
    X(IMPORTANCE_SAYS, \
      "How much each parameter decided whether a run is among the best tenth (PED-ANOVA), as " \
      "shares of 1.", \
      "各参数对运行进入最优十分之一的影响（PED-ANOVA），合计为 1。") \
    X(BY_RUNS, "By %zu of %zu runs.", "依据 %2$zu 次运行中的 %1$zu 次。") \
    X(EDF, "Distribution of the metric", "指标的分布") \
    X(EDF_SAYS, \
      "The share of runs that are at least as good as a value.", \
      "不差于某一数值的运行所占的比例。") \
    X(PARETO, "Metric against time", "指标与时间") \
    X(PARETO_SAYS, \
      "Runs on the line are the best that their seconds buy.", \
      "线上的运行是同样时间内最好的。") \
    X(FRONTS, "Fronts of the objectives", "各目标的前沿") \
    X(FRONTS_SAYS, \
      "What runs came to in two objectives at a time; on the line no other run betters them in " \
      "both. Ringed: configurations that none betters in all objectives, by the means over their " \
      "seeds.", \
      "运行在每两个目标上的结果；线上的运行在这两个目标上不被其他运行全面胜过。带圈：在所有目标上（按种子均值）" \
      "不被胜过的配置。") \
    X(FRONT, "The front: no other configuration betters these in all objectives", \
      "前沿：在所有目标上不被其他配置全面胜过") \
    X(TIMELINE, "Timeline", "时间线") \
    X(TIMELINE_SAYS, \
      "When each run ran, from its start to its end; rows are slots that were in use " \
      "at the same time.", \
      "每次运行从开始到结束；每行是同时使用的一个位置。") \
    X(LABELS, "Labels", "标签") \
    X(LABELS_SAYS, "How many runs got each label.", "各标签的运行数。") \
    X(RUN, "run", "运行") \
    X(RUNS, "runs", "运行数") \
    X(NUMBER, "number of the run", "运行编号") \
    X(EPOCH, "epoch", "轮次") \
    X(LOSS, "loss", "loss") \
    X(SECONDS, "seconds of training", "训练秒数") \
    X(SHARE, "share of the runs", "运行的比例") \
    X(HOURS, "hours since the first start", "自首次开始的小时数") \
    X(MINUTES, "minutes since the first start", "自首次开始的分钟数") \
    X(SINCE_SECONDS, "seconds since the first start", "自首次开始的秒数") \
    X(SLOT, "slot", "位置") \
    X(NO_LABEL, "no label", "无标签") \
    X(NOTHING, "Nothing to draw: no run has what this chart needs.", "没有可画的：没有运行具备此图所需的数据。") \
    X(AT_EDGE, "%zu runs lie beyond the axis and stand at its edge.", "%zu 次运行超出坐标轴，画在边缘。") \
    X(DRAWN_OF, "%zu of %zu runs are drawn.", "画出 %2$zu 次运行中的 %1$zu 次。") \
    X(LOG, "log scale", "对数坐标") \
    X(BEST, "best", "最优") \
    X(SWEEP, "sweep", "扫描") \
    X(REPORT, "Report of sweeps", "扫描报告") \
    X(SWEEPS, "sweeps", "扫描列表") \
    X(SKIP, "Skip to the report", "跳到正文") \
    X(MADE_AT, "Made", "生成于") \
    X(LABEL, "label", "标签") \
    X(FILTERS, "filters", "筛选") \
    X(CLEAR, "show all", "全部显示") \
    X(HORIZONTAL, "horizontal axis", "横轴") \
    X(VERTICAL, "vertical axis", "纵轴") \
    X(SHOWN, "%1 of %2 runs pass the filters.", "%2 次运行中有 %1 次符合筛选。") \
    X(POINTS_OF, "%1 of these %2 points are drawn, evenly chosen; fewer runs show all.", \
      "这 %2 个点中均匀选取 %1 个绘出；筛选更少的运行即可全部显示。") \
    X(HOW, \
      "Drag along an axis of the parallel coordinates, or fill in a range: all charts " \
      "and the table follow. A run's number shows its curves.", \
      "在平行坐标的轴上拖动，或填写范围：所有图与表随之筛选。点运行编号显示其曲线。") \
    X(EXPLORE, "Explore", "探索") \
    X(STATUS, "status", "状态") \
    X(REASON, "reason", "原因") \
    X(METHOD, "method", "方法") \
    X(METRIC, "metric", "指标") \
    X(BEST_RUN, "best run", "最优运行") \
    X(DONE, "runs done", "已完成的运行") \
    X(FAILED, "failed", "失败") \
    X(STARTED, "started", "开始") \
    X(ENDED, "ended", "结束") \
    X(TRAINED, "seconds trained", "训练总秒数") \
    X(CHARTS, "Charts", "图") \
    X(PATTERNS, "Loss patterns: what was found", "loss 形态：发现了什么") \
    X(SAYS, "what it says", "说明") \
    X(LOOKS, "how it looks", "样子") \
    X(GUIDE, "guide", "指南") \
    X(REMEDIES, "what the guide advises; ours", "指南的建议；我们的建议") \
    X(EXAMPLES, "examples", "例子") \
    X(TREATMENTS, "Treatments: parent and child", "治疗：治疗前与治疗后") \
    X(PARENT, "parent", "治疗前") \
    X(CHILD, "child", "治疗后") \
    X(REMEDY, "remedy", "措施") \
    X(CAUSE, "cause", "原因") \
    X(CHANGE, "change", "变化") \
    X(CURED, "cured", "治愈") \
    X(YES, "yes", "是") \
    X(NO, "no", "否") \
    X(DECISIONS, "Decisions, and why", "决定及其理由") \
    X(TIMES, "times", "次数") \
    X(FIRST_RUN, "the first: run", "首次：运行") \
    X(EACH, "Each of them", "逐条") \
    X(KIND, "kind", "种类") \
    X(WHY, "why", "理由") \
    X(FAILURES, "Failures", "失败") \
    X(LAST_WORDS, "last words", "最后输出") \
    X(EDITS, "Edits of the search range that the runs speak for", "运行支持的搜索范围修改") \
    X(SETTING, "setting", "参数") \
    X(FROM, "from", "从") \
    X(TO, "to", "到") \
    X(FINDINGS, "Found in the data", "数据检查结果") \
    X(STOPPING, "Stopped early", "提前停止") \
    X(RULE, "rule", "规则") \
    X(EPOCHS_SAVED, "epochs saved", "节省的轮次") \
    X(AUDITED, "let live to see", "抽查放行") \
    X(WRONG, "of these among the best tenth", "其中属于最优十分之一") \
    X(BEST_RUNS, "The best runs", "最优的运行") \
    X(SEEDS, "seeds", "种子数") \
    X(MEAN, "mean", "均值") \
    X(SPREAD, "worst − best", "最差 − 最优") \
    X(CONFIGURATIONS, "Configurations trained from several seeds", "用多个种子训练的配置") \
    X(NOT_DRAWN, "No run has what these charts need:", "没有运行具备以下图所需的数据：") \
    X(FIRST_OF, "The first %zu of %zu are listed.", "列出 %2$zu 条中的前 %1$zu 条。") \
    X(CURVES_OF, \
      "Curves of %zu of %zu runs are in this file: those of the best half, and an even " \
      "choice of the others.", \
      "本文件含 %2$zu 次运行中 %1$zu 次的曲线：最优的一半，其余均匀选取。") \
    X(AGAIN, "To train the winner again", "再次训练最优配置") \
    X(NO_RUNS, "This sweep has no runs yet.", "此扫描还没有运行。")

enum word {
#define X(id, en, zh) WORD_##id,
    WORD_MAP(X) SITE_WORD_MAP(X)
#undef X
    WORD_COUNT
};
enum language { LANGUAGE_EN, LANGUAGE_ZH, LANGUAGE_COUNT };

const char *word_in(enum language language, enum word w);
/* "en", "zh"; -1: unknown. */
int language_find(const char *name);
const char *language_name(enum language l);

#endif

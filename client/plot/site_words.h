/* What the pages of `sweepctl serve` say beyond charts and reports. */
#ifndef SWEEPCTL_SITE_WORDS_H
#define SWEEPCTL_SITE_WORDS_H

/* X(id, English, Chinese) */
#define SITE_WORD_MAP(X) \
    X(SITE, "Sweeps", "扫描") \
    X(SUBMIT, "Submit", "提交") \
    X(TUNING_GUIDE, "The guide", "调参指南") \
    X(COMPARE, "Compare runs", "比较运行") \
    X(NAME, "name", "名称") \
    X(PROGRESS, "progress", "进度") \
    X(CREATED, "submitted", "提交时间") \
    X(NO_SWEEPS, "There are no sweeps yet.", "还没有扫描。") \
    X(OLDER, "older ones", "更早的") \
    X(FURTHER, "further ones", "后面的") \
    X(ALL_RUNS, "All runs", "全部运行") \
    X(NO_CURVE, "It has no points yet, or none of its losses is a number.", "尚无数据点，或损失都不是数。") \
    X(UNDER_WAY, "Under way", "正在进行") \
    X(STAGE, "stage", "阶段") \
    X(TRAIN_LOSS, "train loss", "train loss") \
    X(VAL_LOSS, "val loss", "val loss") \
    X(PAUSE, "Pause", "暂停") \
    X(RESUME, "Resume", "继续") \
    X(CANCEL, "Cancel", "取消") \
    X(CANCEL_SURE, "yes, for good", "确定，不可恢复") \
    X(ENQUEUE, "Enqueue a run of your own", "加入自定的运行") \
    X(ENQUEUE_DO, "Enqueue", "加入") \
    X(TREAT, "Treat", "治疗") \
    X(TREAT_SAYS, "Train it again with one remedy and nothing else changed.", "只用一种措施重新训练，其余不变。") \
    X(COMPARE_DO, "Compare those chosen", "比较所选") \
    X(CHOOSE, "choose", "选择") \
    X(COMPARE_SAYS, "Name runs by their ids, from one sweep or several.", "填写运行编号，可来自一个或多个扫描。") \
    X(TOO_MANY, "The first %zu of %zu are compared.", "比较 %2$zu 个中的前 %1$zu 个。") \
    X(DIFFERS, "differs", "不同") \
    X(SPEC, "Specification", "规格") \
    X(SPEC_SAYS, \
      "JSON, or YAML where this build reads it; as `sweepctl submit` takes it.", \
      "JSON，或（若本构建支持）YAML；与 `sweepctl submit` 相同。") \
    X(SUBMIT_DO, "Submit it", "提交") \
    X(DRY_RUN, "Only say what it would do", "只说明会做什么") \
    X(PLAN, "What it would do", "会做什么") \
    X(WHAT, "what", "内容") \
    X(ABOUT_TIME, "about", "大约") \
    X(PROBLEMS, "What is wrong with it", "其中的错误") \
    X(NOTES, "notes", "说明") \
    X(PARAMETERS, "Parameters", "参数") \
    X(OBJECTIVES, "Objectives", "目标") \
    X(RESULT, "Result", "结果") \
    X(CONFIDENCE, "confidence", "置信度") \
    X(RUNNER_UP, "runner-up", "次选") \
    X(EVIDENCE, "evidence", "证据") \
    X(WEIGHT, "weight", "权重") \
    X(CAUSES, "Why, the likeliest first", "原因，最可能的在前") \
    X(CAN_BE_DONE, "What can be done, the guide's first", "可以做什么，指南的在前") \
    X(DOES, "does", "作用") \
    X(DECIDED, "What was decided about it", "对它的决定") \
    X(LOG_TAIL, "What it wrote last", "最后的输出") \
    X(OF_RUN, "treatment of run", "治疗对象") \
    X(RULES, "Each rule of the tuning guide, and what it did here", "调参指南的每条规则及其在此的作用") \
    X(RULES_SAYS, \
      "Counted over %zu sweeps. Labels: runs whose curve the rule describes. Causes: runs that " \
      "are so most likely because of it. Edits: what the runs of a sweep say of its search " \
      "range by this rule. Tried: runs that were trained again with its remedy; cured: whose " \
      "label went; change: of the metric against the run without it, the middle one and the " \
      "best, below zero is better.", \
      "统计了 %zu 个扫描。标签：曲线符合该规则的运行数。原因：最可能由此引起的运行数。修改：扫描" \
      "的运行按此规则对搜索范围的建议。尝试：用其措施重新训练的运行；治愈：标签消失；变化：指标相" \
      "对未治疗的运行，中位与最好，小于零更好。") \
    X(CHAPTER_1, "The loss oscillates", "loss 震荡不降") \
    X(CHAPTER_2, "No better for many epochs", "很多轮次没有提升") \
    X(CHAPTER_3, "Loss or weights are not a number", "loss 或权重为 nan") \
    X(CHAPTER_4, "What the two losses say together", "两个 loss 一起说明什么") \
    X(RULE_SAYS, "it says", "内容") \
    X(COUNT_LABELS, "labels", "标签") \
    X(COUNT_CAUSES, "causes", "原因") \
    X(COUNT_EDITS, "edits", "修改") \
    X(COUNT_FINDINGS, "findings", "发现") \
    X(COUNT_TRIED, "tried", "尝试") \
    X(MEDIAN_CHANGE, "middle change", "中位变化") \
    X(BEST_CHANGE, "best change", "最好变化") \
    X(EXAMPLE, "example", "例子") \
    X(LIVE, "live", "实时") \
    X(LIVE_GONE, "the daemon is not there", "守护进程不在") \
    X(LIVE_LOST, "the page is no longer served", "页面服务已停止") \
    X(LOGIN, "Who are you?", "请登录") \
    X(LOGIN_SAYS, \
      "This page is for the user who started it. Give the password, or where there is none " \
      "the token that `sweepctl serve` printed.", \
      "此页面只给启动它的用户。请输入密码；没有密码时输入 `sweepctl serve` 打印的令牌。") \
    X(LOGIN_WRONG, "That is not it.", "不正确。") \
    X(LOGIN_WAIT, "Too many wrong ones: wait a minute.", "错误次数过多：请等一分钟。") \
    X(PASSWORD, "password or token", "密码或令牌") \
    X(ENTER, "Enter", "进入") \
    X(BACK, "Back to the sweeps", "回到扫描列表") \
    X(REFUSED, "Refused", "被拒绝") \
    X(NO_PAGE, "There is no such page.", "没有此页面。") \
    X(NO_SUCH, "There is no such sweep or run.", "没有此扫描或运行。") \
    X(BAD_REQUEST, "The request cannot be read.", "无法读取请求。") \
    X(BAD_METHOD, "This is asked for in another way.", "请求方式不对。") \
    X(TOO_LONG, "The request is longer than 1 MiB.", "请求超过 1 MiB。") \
    X(BUSY_SAYS, "Too many requests wait already: try again soon.", "等待的请求过多：请稍后再试。") \
    X(FOREIGN_HOST, "The Host of this request is none of ours.", "请求的 Host 不是本服务。") \
    X(FOREIGN_FORM, "This was sent by another site's page.", "此请求来自其他网站的页面。") \
    X(NO_TOKEN, \
      "What changes something needs the token: load the page again, or send " \
      "`Authorization: Bearer TOKEN`.", \
      "修改操作需要令牌：请重新载入页面，或发送 `Authorization: Bearer TOKEN`。")

#endif

/* Numbers and times as people read them. Each writes into out[HUMAN_MAX] and returns it. */
#ifndef SWEEPCTL_HUMAN_H
#define SWEEPCTL_HUMAN_H

#include <stdint.h>

#define HUMAN_MAX 48

/* Four significant digits ("0.3120", "12.35", "1.2e-05"); "nan", "inf", "-inf". */
const char *human_loss(double v, char *out);
/* As short as it is exact to four digits ("0.001", "0.0316", "128"). */
const char *human_number(double v, char *out);
/* 0..1 as "88.12 %". */
const char *human_percent(double v, char *out);
/* "60,000" */
const char *human_count(int64_t v, char *out);
/* "34 ms", "1.2 s", "12 s", "3 min 05 s", "2 h 10 min", "3 d 04 h"; "-" for negative or NaN. */
const char *human_duration(double seconds, char *out);
/* Joules as watt-hours ("0.42 mWh", "12 Wh", "1.25 kWh"); "-" for negative or NaN. */
const char *human_energy(double joules, char *out);
/* Time since then, both in UTC µs: "2 h 10 min ago", "just now". */
const char *human_ago(int64_t then_us, int64_t now_us, char *out);
/* "2026-11-24 01:02:03.456" (UTC, as the database has it) in UTC µs; 0 when it is not that. */
int64_t human_parse_utc(const char *text);
/* Now in UTC µs. */
int64_t human_now_us(void);

#endif

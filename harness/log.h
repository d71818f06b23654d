/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to stderr, each with its level; errors are logged once, where the detail is. */
#ifndef HARNESS_LOG_H
#define HARNESS_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Messages above this level are not printed. Default LOG_INFO. */
void log_set_level(enum log_level level);

__attribute__((format(printf, 2, 3))) void log_print(enum log_level level, const char *fmt, ...);

#define log_err(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_print(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
// What a command inherits: environment, signals, limits, file descriptors and rights.
// run: env -u _ -u SHLVL | sort
// run: grep -E '^(Umask|TracerPid|Shd|Sig[BIC]|Cap|NoNewPrivs|Seccomp|Cpus_allowed_list)' /proc/self/status
// run: cat /proc/self/limits /proc/self/oom_score_adj /proc/self/cgroup; pwd
// run: cd /proc/$$/fd && echo *
// run: nice
// solo: the recorded command itself

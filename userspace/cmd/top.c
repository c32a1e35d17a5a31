/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap top: what compilers are doing, while they do it, on the terminal. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/joining.h"
#include "cmd/recording.h"
#include "cmd/top_keys.h"
#include "render/top.h"
#include "util/clock.h"

enum {
	DRAIN_EVERY = 100,	 /* ms */
	MESSAGE_FOR = 8,	 /* seconds that a message stands */
	USUAL_BATCH_WIDTH = 132, /* columns */
	LEAST_DELAY = 100000000, /* ns */
};

struct top_settings {
	struct recording_settings common;
	struct joining joining;
	bool batch, json;
	double delay;
	unsigned long number, limit;
	const char *sort, *filter, *crates;
};

static const struct top_settings defaults = {.delay = 1, .limit = 20};

static const struct option_row options[] = {
    JOINING_OPTIONS(struct top_settings, joining, "Look at"),
    {.name = "delay",
     .letter = 'd',
     .kind = OPTION_DOUBLE,
     .argument = "SECONDS",
     .offset = offsetof(struct top_settings, delay),
     .help = "Show a new picture after this time (default: 1, at least 0.1)"},
    {.name = "batch",
     .letter = 'b',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct top_settings, batch),
     .help = "Print pictures as plain text, one below the other, as is done without a terminal"},
    {.name = "json",
     .letter = 'j',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct top_settings, json),
     .help = "Print pictures as JSON, a line each"},
    {.name = "number",
     .letter = 'n',
     .kind = OPTION_UINT,
     .argument = "N",
     .offset = offsetof(struct top_settings, number),
     .min = 1,
     .help = "End after N pictures"},
    {.name = "sort",
     .letter = 's',
     .kind = OPTION_STRING,
     .argument = "COLUMN",
     .offset = offsetof(struct top_settings, sort),
     .help = "Sort queries by self (default), count, rate, now, mean or label"},
    {.name = "filter",
     .letter = 'f',
     .kind = OPTION_STRING,
     .argument = "TEXT",
     .offset = offsetof(struct top_settings, filter),
     .help = "Show only queries and activities whose names contain TEXT"},
    {.name = "crates",
     .letter = 'c',
     .kind = OPTION_STRING,
     .argument = "TEXT",
     .offset = offsetof(struct top_settings, crates),
     .help = "Show only compilers whose crate contains TEXT"},
    {.name = "limit",
     .letter = 'l',
     .kind = OPTION_UINT,
     .argument = "N",
     .offset = offsetof(struct top_settings, limit),
     .help = "Print N queries and activities in each picture (default: 20; 0: all)"},
    RECORDING_PROBE_OPTIONS(struct top_settings, common),
    {0},
};

struct top {
	const struct top_settings *settings;
	struct recording recording;
	struct collect_sink sink;
	struct live *live;
	struct top_view view;
	struct top_page page;
	struct top_terminal *terminal; /* NULL where pictures are printed */
	struct top_facts facts;	       /* at the last look */
	int signals;
	char message[512];
	uint64_t message_at;
	unsigned long pictures;
};

/* ---- from the collector to the model ---- */

static void on_begin(void *context, const struct collect_compiler *compiler)
{
	struct top *top = context;
	struct live_beginning beginning = {.pid = compiler->pid,
					   .crate = compiler->crate,
					   .version = compiler->version,
					   .start = compiler->start,
					   .joined = compiler->joined};

	live_begin(top->live, &beginning);
}

static void on_interval(void *context, const struct collect_interval *interval)
{
	struct top *top = context;

	live_event(top->live, interval->pid, interval->event, interval->label, interval->self);
}

static void on_end(void *context, pid_t pid, bool succeeded)
{
	struct top *top = context;

	live_end(top->live, pid, succeeded);
}

static void on_thread(void *context, const struct collect_thread *thread)
{
	struct top *top = context;
	struct live_frame *frames = calloc(thread->depth + 1, sizeof(*frames));
	struct live_seen_event *pending = calloc(thread->pending_count + 1, sizeof(*pending));
	struct live_seen_thread seen = {.pid = thread->pid,
					.tid = thread->tid,
					.name = thread->name,
					.waits = thread->waits,
					.run_time = thread->run_time,
					.run_time_gone = thread->run_time_gone,
					.frames = frames,
					.pending = pending};

	for (size_t i = 0; frames && i < thread->depth; i++)
		frames[i] = (struct live_frame){thread->frames[i].event, thread->frames[i].label,
						thread->frames[i].elapsed, thread->frames[i].self};
	for (size_t i = 0; pending && i < thread->pending_count; i++)
		pending[i] = (struct live_seen_event){thread->pending[i].event, thread->pending[i].label,
						      thread->pending[i].self};
	seen.depth = frames ? thread->depth : 0;
	seen.pending_count = pending ? thread->pending_count : 0;
	live_look_thread(top->live, &seen);
	free(frames);
	free(pending);
}

static void on_message(void *context, const char *text)
{
	struct top *top = context;

	if (!top->terminal) {
		dprintf(STDERR_FILENO, "querytap: %s\n", text);
		return;
	}
	snprintf(top->message, sizeof(top->message), "%s", text);
	top->message_at = clock_now(CLOCK_MONOTONIC);
}

/* ---- pictures ---- */

static struct top_facts facts_of(const struct top *top)
{
	struct top_facts facts = {.time = time(NULL)};
	struct collect_untimed untimed;
	struct collect_totals totals;

	collector_totals(top->recording.collector, &totals);
	collector_untimed(top->recording.collector, &untimed);
	facts.lost = totals.lost;
	facts.untimed = totals.queries + totals.others ? untimed.labels : 0;
	facts.untimed_self = untimed.self;
	return facts;
}

static int look(struct top *top, struct error *err)
{
	int code;

	collector_drain(top->recording.collector);
	live_look_begin(top->live, clock_now(CLOCK_MONOTONIC));
	code = collector_look(top->recording.collector, on_thread, top, err);
	live_look_end(top->live, top->view.opened);
	top->facts = facts_of(top);
	return code;
}

static int batch_width(void)
{
	const char *columns = getenv("COLUMNS");
	int width = columns ? atoi(columns) : 0;

	return width >= TOP_WIDTH && width <= 1000 ? width : USUAL_BATCH_WIDTH;
}

static int show(struct top *top, struct error *err)
{
	struct top_facts facts = top->facts;
	int width = batch_width(), height = 0, code = 0;

	if (top->message[0] && clock_now(CLOCK_MONOTONIC) - top->message_at < MESSAGE_FOR * 1000000000ull)
		facts.message = top->message;
	if (top->terminal)
		top_terminal_size(top->terminal, &width, &height);
	if (top->settings->json)
		code = top_json(top->live, &top->view, &facts, stdout, err);
	else
		top_layout(&top->page, top->live, &top->view, &facts, width, height);
	if (top->terminal)
		top_terminal_draw(top->terminal, &top->page);
	else if (!top->settings->json)
		top_print(&top->page, stdout);
	if (!top->terminal && code == 0 && fflush(stdout))
		code = error_set(err, errno, "cannot write to standard output: %s", strerror(errno));
	return code;
}

static int look_and_show(struct top *top, struct error *err)
{
	int code = top->view.paused ? 0 : look(top, err);

	if (code == 0)
		code = show(top, err);
	top->pictures++;
	return code;
}

/* ---- the loop ---- */

/* Returns false if the signal is one to end with. */
static bool take_signal(const struct top *top)
{
	struct signalfd_siginfo info;

	return read(top->signals, &info, sizeof(info)) != (ssize_t)sizeof(info) || info.ssi_signo == SIGWINCH;
}

/* Takes the keys that wait. Returns false if it is time to quit. */
static bool take_keys(struct top *top)
{
	int key;

	while ((key = top_terminal_key(top->terminal)) != TOP_KEY_NONE) {
		top->message[0] = '\0';
		if (!top_take_key(&top->view, top->live, key))
			return false;
	}
	return true;
}

static bool is_over(const struct top *top)
{
	if (top->settings->number && top->pictures >= top->settings->number)
		return true;
	return !top->terminal && recording_is_over(&top->recording);
}

static int wait_ms(uint64_t until)
{
	uint64_t now = clock_now(CLOCK_MONOTONIC), left = until > now ? (until - now) / 1000000 + 1 : 0;

	return left < DRAIN_EVERY ? (int)left : DRAIN_EVERY;
}

static int watch(struct top *top, struct error *err)
{
	uint64_t delay = (uint64_t)(top->settings->delay * 1e9), next = clock_now(CLOCK_MONOTONIC) + delay;
	struct pollfd files[] = {
	    {top->signals, POLLIN, 0},
	    {collector_fd(top->recording.collector), POLLIN, 0},
	    {top->terminal ? STDIN_FILENO : -1, POLLIN, 0},
	};
	int code = look(top, err);

	if (code == 0 && top->terminal)
		code = show(top, err);

	while (code == 0 && !is_over(top)) {
		int ready = poll(files, 3, wait_ms(next));

		if (ready < 0 && errno != EINTR)
			return error_set(err, errno, "cannot wait: %s", strerror(errno));
		collector_drain(top->recording.collector);
		if (ready > 0 && files[0].revents && !take_signal(top))
			break;
		if (ready > 0 && files[2].revents && ((files[2].revents & (POLLHUP | POLLERR)) || !take_keys(top)))
			break;
		if (clock_now(CLOCK_MONOTONIC) >= next) {
			code = look_and_show(top, err);
			next += delay;
			if (next < clock_now(CLOCK_MONOTONIC))
				next = clock_now(CLOCK_MONOTONIC) + delay;
		} else if (ready > 0 && (files[0].revents || files[2].revents)) {
			code = show(top, err);
		}
	}
	return code;
}

/* ---- setting up ---- */

static int parse_order(const char *name, enum live_order *order, struct error *err)
{
	for (int i = 0; i < LIVE_ORDERS; i++)
		if (!strcmp(name, top_order_name((enum live_order)i))) {
			*order = (enum live_order)i;
			return 0;
		}
	return error_set(err, EINVAL, "--sort takes self, count, rate, now, mean or label, not \"%s\"", name);
}

static int set_up_view(struct top *top, struct error *err)
{
	const struct top_settings *settings = top->settings;

	/* Where events are only counted there is no time to sort by. */
	if (settings->common.overhead && !strcmp(settings->common.overhead, "counts"))
		top->view.order = LIVE_BY_COUNT;
	top->view.limit = settings->limit;
	snprintf(top->view.filter, TOP_FILTER, "%s", settings->filter ? settings->filter : "");
	snprintf(top->view.crates, TOP_FILTER, "%s", settings->crates ? settings->crates : "");
	return settings->sort ? parse_order(settings->sort, &top->view.order, err) : 0;
}

static int set_up(struct top *top, struct error *err)
{
	const struct top_settings *settings = top->settings;
	bool prints = settings->batch || settings->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO);
	int code = set_up_view(top, err);

	top->live = live_new(clock_now(CLOCK_MONOTONIC));
	if (!top->live)
		return error_set(err, ENOMEM, "out of memory");
	top->sink = (struct collect_sink){top, on_begin, on_interval, on_end};
	top->recording.sink = &top->sink;
	if (code == 0)
		code = joining_start(&top->recording, &settings->common, &settings->joining, err);
	top->recording.say = on_message;
	top->recording.say_context = top;
	if (code == 0 && !prints)
		code = top_terminal_open(&top->terminal, err);
	return code;
}

static int watched_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void tear_down(struct top *top)
{
	top_terminal_close(top->terminal);
	top->terminal = NULL;
	if (top->recording.collector)
		collector_finish(top->recording.collector);
	recording_free(&top->recording);
	top_page_free(&top->page);
	live_free(top->live);
	close(top->signals);
}

static int check_usage(const struct top_settings *settings, int argc, char **argv)
{
	struct error err = {0};

	if (argc)
		error_set(&err, EINVAL, "takes no argument, but was given %s", argv[0]);
	else if (joining_ways(&settings->joining) > 1)
		error_set(&err, EINVAL, "give one of --pid, --tree, --comm and --all");
	else if (settings->delay * 1e9 < LEAST_DELAY || settings->delay > 86400)
		error_set(&err, EINVAL, "--delay takes 0.1 to 86400 seconds");
	if (!err.text[0])
		return 0;
	dprintf(STDERR_FILENO, "querytap top: %s; see querytap top --help\n", err.text);
	return -EINVAL;
}

static int run(const void *opaque, int argc, char **argv)
{
	struct top_settings settings = *(const struct top_settings *)opaque;
	struct top top = {.settings = &settings};
	struct error err = {0};
	int status = EXIT_OK;

	if (check_usage(&settings, argc, argv) < 0)
		return EXIT_USAGE;
	settings.joining.all |= joining_ways(&settings.joining) == 0;
	setlocale(LC_CTYPE, "");
	top.signals = watched_signals();
	if (set_up(&top, &err) < 0)
		status = EXIT_USAGE;
	else if (watch(&top, &err) < 0)
		status = EXIT_FAILED;
	tear_down(&top);
	if (status != EXIT_OK)
		dprintf(STDERR_FILENO, "querytap: %s\n", err.text);
	return status;
}

const struct command command_top = {
    .name = "top",
    .arguments = "",
    .summary = "Show what compilers are doing, while they do it",
    .details = "Joins running compilers, and those that start later, and shows every second the compilers that run, "
	       "which queries their threads are in, and which queries and activities took most since the start. "
	       "Nothing is written. Without one of --pid, --tree, --comm and --all it looks at every compiler on this "
	       "machine.\n"
	       "\n"
	       "Keys: s sorts, / and c filter, p pauses, arrows and Enter open a compiler, Esc goes back, h explains, "
	       "q quits. Without a terminal, or with --batch or --json, pictures are printed until N are, all that is "
	       "looked at has ended, or Ctrl-C.",
    .options = options,
    .settings_size = sizeof(struct top_settings),
    .settings_default = &defaults,
    .run = run,
};

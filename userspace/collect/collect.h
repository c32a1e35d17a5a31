/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * From the kernel to profiles: loads the BPF programs, probes compilers, drains the records, and writes one profile
 * for each process that compiled.
 */
#ifndef QUERYTAP_COLLECT_COLLECT_H
#define QUERYTAP_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler/compiler.h"
#include "util/error.h"
#include "util/identity.h"

/* How uprobes are attached. */
enum attach_method {
	ATTACH_AUTO,  /* uprobe_multi where the kernel has it */
	ATTACH_MULTI, /* one uprobe_multi link for each kind of site (Linux 6.6) */
	ATTACH_PERF,  /* one perf event for each site: slow to let go of, some 0.1 s a site */
};

/* How much of what is asked for is timed. */
enum overhead_mode {
	OVERHEAD_EXACT,	 /* everything */
	OVERHEAD_AUTO,	 /* what can be timed within the budget */
	OVERHEAD_COUNTS, /* nothing: events are only counted */
	OVERHEAD_SAMPLE, /* nothing, and nothing is probed: there are samples alone */
};

struct overhead {
	enum overhead_mode mode;
	double budget;	     /* for OVERHEAD_AUTO: what probes may add, as a share of the time without them */
	const char *queries; /* patterns as in fnmatch(3), separated by commas, of the labels to record; NULL for all */
};

struct collect_options {
	const char *directory; /* where profiles go; borrowed, must exist */
	uid_t uid;	       /* owner of the profiles */
	gid_t gid;
	bool set_owner;
	bool one_user;	  /* follow no process but those of `uid` */
	bool joins;	  /* processes that run already will be followed: find what they are in, if the kernel allows */
	bool follow_all;  /* follow every process that runs a probed compiler, not only those told */
	const char *comm; /* follow every process that becomes a program of this name, too; NULL for none; borrowed */
	size_t ring_bytes; /* a power of two and multiple of the page size; 0 for the default */
	enum attach_method attach;
	bool cpu_time;	     /* times are those for which threads were on the CPU, instead of the wall's */
	unsigned int events; /* what to record: COLLECT_EVENT of each class, and the bits below */
	struct overhead overhead;
	const char *cache;	      /* folder of what recordings teach, or NULL; borrowed */
	const struct identity *owner; /* of the files there; borrowed */
	/* Called while draining when a followed process became another program; may probe more compilers. */
	void (*on_exec)(void *context, pid_t pid);
	unsigned int sample_hz;		 /* samples of each processor in a second; 0 for none */
	bool sample_if_possible;	 /* do without samples where this kernel does not let them be taken */
	bool off_cpu;			 /* note when threads are off the CPU */
	void *context;			 /* of all calls back */
	const struct collect_sink *sink; /* is told, and no profiles are written; NULL to write them; borrowed */
};

#define COLLECT_EVENT(class) (1u << (class))
#define COLLECT_TEXTS (1u << 16) /* the texts that activities have as arguments */
#define COLLECT_KEYS (1u << 17)	 /* the keys of queries, as far as they are plain ids */
#define COLLECT_SIZES (1u << 18) /* the sizes of artifacts */

/* A process that has begun to compile. Borrowed for the call, except `version`, which lives as long as its plan. */
struct collect_compiler {
	pid_t pid;
	const char *crate;
	const char *version; /* of the compiler */
	uint64_t start;	     /* of the program, CLOCK_MONOTONIC ns; if `joined`, when recording it began */
	bool joined;	     /* it ran before */
};

/* An event that has ended. Times are nanoseconds; with OVERHEAD_COUNTS they are 0. */
struct collect_interval {
	pid_t pid, tid;
	enum event_class event;
	/* The query's or activity's name; what is loaded, hashed or waited for has the name of its class. It lives as
	 * long as the plan, and the same string means the same of a compiler. */
	const char *label;
	uint64_t length, self; /* self: without what it asked for */
};

/*
 * Who is told of what compilers do, as it comes to the collector: a thread sends its events when there are some, or
 * when it ends; until then a look has them. All are called while draining and finishing. Of a compiler first `begin`,
 * at last `end`. Sinks get no arguments of events, and no artifacts.
 */
struct collect_sink {
	void *context;
	void (*begin)(void *context, const struct collect_compiler *compiler);
	void (*interval)(void *context, const struct collect_interval *interval);
	void (*end)(void *context, pid_t pid, bool succeeded);
};

/* What a thread is in, the outermost first. */
struct collect_frame {
	enum event_class event;
	const char *label; /* as in struct collect_interval */
	uint64_t elapsed;  /* nanoseconds */
	uint64_t self;	   /* without what it has asked for so far */
};

/* A thread of a compiler at this moment. */
struct collect_thread {
	pid_t pid, tid;
	const char *name;
	bool waits;		/* it does not run and could not */
	uint64_t run_time;	/* nanoseconds on the CPU */
	uint64_t run_time_gone; /* of the threads of its process that are gone */
	const struct collect_frame *frames;
	size_t depth;
	/* What has ended and is still to come to the sink. */
	const struct collect_interval *pending;
	size_t pending_count;
};

/* What was collected so far. Counts of queries and other events, except files and compilers. */
struct collect_totals {
	uint64_t files;						      /* profiles finished */
	uint64_t running;					      /* profiles still open */
	uint64_t queries, others;				      /* intervals written */
	uint64_t lost, missed, unwound, truncated, too_deep, unnamed; /* as in bpf/wire.h */
	uint64_t unseen;					      /* likewise; switches of threads */
	uint64_t failed;					      /* profiles that could not be written */
	char failure[512];					      /* the sentence of the first of these */
};

/* What sampling has done so far. */
struct collect_samples {
	uint64_t samples; /* taken */
	uint64_t ends[2]
		     [16]; /* of these, by whether in the kernel, and why they have no more places: enum sample_end */
	uint64_t lost;	   /* for which there was no room in the ring buffer or in memory */
	uint64_t objects;  /* files that samples were in */
	uint64_t table_bytes, table_ns; /* size of their tables in the kernel, and what it took to make them */
};

/* What is known of threads' absences from the CPU. */
struct collect_absences {
	uint64_t absences; /* told of */
	uint64_t threads;
	uint64_t cut;  /* absences in so many queries that the outer ones were not told of */
	uint64_t lost; /* absences, or threads' times, for which there was no room in the ring buffer or in memory */
};

enum { COLLECT_MAX_COMPILERS = 32 };

struct collector;

/* What a hit of an empty program costs, nanoseconds, by the instruction that the probe sits on. */
struct instruction_costs {
	uint64_t nop5, push, jcc, call, other;
};

/*
 * Loads the programs and starts following processes; nothing is probed yet. -EPERM without privileges, -ENOTSUP where
 * the kernel lacks BPF or BTF, each with a sentence that says what to do.
 */
int collector_open(const struct collect_options *options, struct collector **out, struct error *err);

/*
 * The same, and has the cost of the probes taken out of all times if `compensate`: as the cache knows it, else
 * measured. Calls `say`, unless it is NULL, with a sentence for each thing that cannot be had here.
 */
int collector_begin(const struct collect_options *options, bool compensate,
		    void (*say)(void *context, const char *sentence), struct collector **out, struct error *err);

/*
 * Attaches probes to the compiler of `plan`, which is borrowed until collector_free. A compiler that is probed already
 * is left as it is. -ENOSPC beyond COLLECT_MAX_COMPILERS.
 */
int collector_probe(struct collector *collector, const struct plan *plan, struct error *err);

/* Whether it takes samples and probes nothing, so that compilers without a plan are of use too. */
bool collector_only_samples(const struct collector *collector);

/* Whether the file with this device and inode is probed. */
bool collector_has(const struct collector *collector, const char *path);

/* How a process is followed. */
enum follow {
	FOLLOW_NEW,   /* it has not begun yet; with all that it starts */
	FOLLOW_TREE,  /* it has been running a while, so that queries may have been entered already; the same */
	FOLLOW_ALONE, /* running too; without what it starts */
};

/* Follows a process from now on. */
int collector_follow(struct collector *collector, pid_t pid, enum follow how, struct error *err);

/*
 * Begins the profile of a followed process that ran before and has the compiler at `path` mapped, or tells the sink, so
 * that it is known even if no query comes any more. Does nothing for any other. Where every compiler is followed, it is
 * from here on.
 */
void collector_join(struct collector *collector, pid_t pid, const char *path);

/* Lets go of a process that is followed. What it has started meanwhile is followed on. */
void collector_unfollow(struct collector *collector, pid_t pid);

/* Whether any followed process is alive. */
bool collector_follows_any(const struct collector *collector);

/*
 * What the two probes of a query cost while nothing slows the machine down, nanoseconds, and what the BPF program of an
 * exit takes in a compiler meanwhile, times 256; 0 if that is not known. It is taken out of the
 * threads' clocks while recording, so that times come out as without probes, and more while that program takes longer.
 */
struct probe_cost {
	uint64_t query, pace;
};

/*
 * Measures what a query costs by recording itself: the least that it finds in two thirds of a second. To be called
 * before compilers are probed. -EIO if the measurement makes no sense.
 */
int collector_measure(struct collector *collector, uint64_t *cost, struct error *err);

/* Takes this cost out of all times from now on; zero takes nothing. */
void collector_compensate(struct collector *collector, const struct probe_cost *cost);

/* Measures hits of an empty program. */
int collector_measure_instructions(struct collector *collector, struct instruction_costs *costs, struct error *err);

/* A file descriptor that becomes readable when records wait; borrowed. Drain every 100 ms all the same. */
int collector_fd(const struct collector *collector);

/* Writes what has come. A profile that cannot be written is noted in the totals, the others go on. */
void collector_drain(struct collector *collector);

void collector_totals(const struct collector *collector, struct collect_totals *totals);

/*
 * Looks at what the threads of all compilers are in now, with a sink: calls `take` for each thread, with what is
 * borrowed for the call. They are not stopped for it, so that a thread's inner frames may be missing. To be called
 * after draining. Returns 0, or a negative errno with a sentence.
 */
int collector_look(struct collector *collector, void (*take)(void *context, const struct collect_thread *thread),
		   void *context, struct error *err);

/* What was sampled; all zero without sampling. */
void collector_samples(const struct collector *collector, struct collect_samples *samples);

/* What is known of absences so far; all zero where they are not noted. */
void collector_absences(const struct collector *collector, struct collect_absences *absences);

/*
 * Writes the file of samples (samples/samples.h) into the profiles' folder, after collector_finish of a collector that
 * samples or notes absences. Returns 0 or a negative errno.
 */
int collector_write_samples(const struct collector *collector, const struct identity *owner, struct error *err);

/* What was not timed of the compiler that compiled longest: how many labels, and an estimate of their share. */
struct collect_untimed {
	size_t labels;
	double events, self; /* of all */
};

void collector_untimed(const struct collector *collector, struct collect_untimed *untimed);

/* What is recorded: the events of the options without those that this kernel does not show (artifact sizes). */
unsigned int collector_events(const struct collector *collector);

/* The method in use. */
enum attach_method collector_method(const struct collector *collector);

/* Stops recording: closes what still runs as truncated, lets go of the probes and finishes all profiles. */
void collector_finish(struct collector *collector);

/* The file in the profiles' folder that tells of all processes, compilers and others, and the version of its format. */
#define COLLECT_BUILD_FILE "build.json"
#define COLLECT_BUILD_FORMAT 1

/* Writes it, after collector_finish. Returns 0 or a negative errno. */
int collector_write_build(const struct collector *collector, const struct identity *owner, struct error *err);

/* Frees everything; profiles that were not finished are removed. Accepts NULL. */
void collector_free(struct collector *collector);

/* Whether this kernel has uprobe_multi links. Needs privileges. */
bool kernel_has_uprobe_multi(void);

/* Whether a BPF program always finds a task's storage, as what notes the switches of threads has to. */
bool kernel_has_sure_storage(void);

#endif

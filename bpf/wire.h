/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The records and settings that the BPF programs and the collector share. Times are CLOCK_MONOTONIC nanoseconds. */
#ifndef QUERYTAP_BPF_WIRE_H
#define QUERYTAP_BPF_WIRE_H

/* BPF's verifier wants bounds that are known when the program is made. */
#define WIRE_MAX_COMPILERS 32	   /* compilers probed at once */
#define WIRE_VTABLE_SLOTS 32768	   /* query vtables lie at most 8 times this many bytes behind the TyCtxt */
#define WIRE_MAX_DEPTH 1000	   /* queries active at once on one thread */
#define WIRE_BATCH 96		   /* intervals sent in one record */
#define WIRE_ARGS_CHUNK 4096	   /* bytes of command line in one record */
#define WIRE_MAX_ARGS (256 * 1024) /* bytes of command line sent at most */
#define WIRE_MAX_TEXT 248	   /* bytes of an argument's text; more are cut off */
#define WIRE_COMM 16
#define WIRE_FILE_NAME 256     /* bytes of a file's name with the NUL behind it: NAME_MAX and one */
#define WIRE_PATH 4096	       /* bytes of a path, likewise: PATH_MAX */
#define WIRE_MAX_OBJECTS 4096  /* files with code that samples are in */
#define WIRE_MAX_WORDS 4096    /* places and frames of the shadow stack in a sample */
#define WIRE_ABSENCE_FRAMES 64 /* frames of the shadow stack sent with an absence, the innermost ones */
#define WIRE_MAX_CALLS 65536   /* by which queries are told from stacks, of all compilers together */
#define WIRE_MAX_CALLERS 65536 /* rows of the tables that tell where vtables lie, likewise */

/* The number that a compiler has among objects, whatever number it was given when a sample met it. */
#define WIRE_COMPILER_OBJECT(compiler) (WIRE_MAX_OBJECTS - WIRE_MAX_COMPILERS + (compiler))

/* A call, of a compiler's number, whose last byte lies at `offset` in the file. */
#define WIRE_CALL(compiler, offset) ((unsigned long long)(compiler) << 48 | (offset))

#define WIRE_ANY_UID 0xffffffffu /* processes are followed whoever's they are */

/*
 * An interval's number says what it is: the high four bits the class, the low twelve the query, counted from 1 as the
 * plan lists them. From WIRE_ACTIVITIES on it is an activity, counted from 0.
 */
#define WIRE_NUMBER(class, index) ((unsigned int)(class) << 12 | (unsigned int)(index))
#define WIRE_CLASS_QUERY 0
#define WIRE_CLASS_LOAD 1
#define WIRE_CLASS_HASHING 2
#define WIRE_CLASS_BLOCKED 3
#define WIRE_ACTIVITIES WIRE_NUMBER(4, 0)
#define WIRE_MAX_QUERIES 4095
#define WIRE_MAX_ACTIVITIES (0x10000 - WIRE_ACTIVITIES)

/* No query: 0 is kept free so that an untouched table answers "unknown". Intervals may carry it. */
#define WIRE_QUERY_NONE 0

/*
 * An entry probe's cookie says where to find the two pointers that name the query. At the guard that rustc's own
 * self-profiler leaves in the code, the TyCtxt is in a register and the query's vtable in a register or stack slot. The
 * query's key, where it is a plain id of one or two numbers of 32 bits, is in registers or on the stack likewise.
 */
#define COOKIE_COMPILER(cookie) ((unsigned int)((cookie)&0xff))
#define COOKIE_TCX_REGISTER(cookie) ((unsigned int)(((cookie) >> 8) & 0xf))
#define COOKIE_VTABLE_REGISTER(cookie) ((unsigned int)(((cookie) >> 12) & 0xf))
#define COOKIE_VTABLE_ON_STACK(cookie) ((unsigned int)(((cookie) >> 16) & 1))
#define COOKIE_KEY_KIND(cookie) ((unsigned int)(((cookie) >> 17) & 7))	   /* enum key_kind */
#define COOKIE_KEY_FIRST(cookie) ((unsigned int)(((cookie) >> 20) & 0x1f)) /* a register, or WIRE_ON_STACK */
#define COOKIE_KEY_SECOND(cookie) ((unsigned int)(((cookie) >> 25) & 0x1f))
#define COOKIE_VTABLE_DISPLACEMENT(cookie) ((int)(short)((cookie) >> 32) * 8) /* bytes from rsp */
#define COOKIE_KEY_DISPLACEMENT(cookie) ((int)((cookie) >> 48) * 4)	      /* likewise */
#define COOKIE_MAKE(tcx, vtable, on_stack, displacement)                                                              \
	((unsigned long long)(tcx) << 8 | (unsigned long long)(vtable) << 12 | (unsigned long long)(on_stack) << 16 | \
	 (unsigned long long)(unsigned short)(short)((displacement) / 8) << 32)
#define COOKIE_WITH_KEY(kind, first, second, displacement)                                                           \
	((unsigned long long)(kind) << 17 | (unsigned long long)(first) << 20 | (unsigned long long)(second) << 25 | \
	 (unsigned long long)(unsigned short)((displacement) / 4) << 48)
#define WIRE_ON_STACK 16 /* no register's number; of a key's second number: behind the first, if that is there too */

enum key_kind {
	KEY_UNKNOWN,
	KEY_UNIT,   /* () */
	KEY_CRATE,  /* CrateNum */
	KEY_LOCAL,  /* LocalDefId and OwnerId */
	KEY_DEF_ID, /* DefId: index, crate */
};

/* A key as an interval's argument: the kind in the high three bits, then 29 bits of crate and 32 of index. */
#define KEY_MAKE(kind, crate, index) \
	((unsigned long long)(kind) << 61 | ((unsigned long long)(crate)&0x1fffffff) << 32 | (index))
#define KEY_KIND(key) ((unsigned int)((key) >> 61))
#define KEY_CRATE_OF(key) ((unsigned int)((key) >> 32) & 0x1fffffff)
#define KEY_INDEX(key) ((unsigned int)(key))

/*
 * The cookie of a guard's begin; `naming` is one of enum guard_naming. Begin and end of a guard have the same id, from
 * 1 on, which together with rsp pairs them. For queries the number holds only the class. The displacement is where
 * something lies on the stack; for namings that need nothing there, how much higher rsp will be at the end, which is 0
 * unless the guard ends in another function.
 */
#define GUARD_NAMING(cookie) ((unsigned int)(((cookie) >> 8) & 0xf))
#define GUARD_ID(cookie) ((unsigned int)(((cookie) >> 12) & 0xfff))
#define GUARD_REGISTER(cookie) ((unsigned int)(((cookie) >> 24) & 0xf))
#define GUARD_SELF_REGISTER(cookie) ((unsigned int)(((cookie) >> 28) & 0xf))
#define GUARD_NUMBER(cookie) ((unsigned int)(((cookie) >> 32) & 0xffff))
#define GUARD_DISPLACEMENT(cookie) ((int)((long long)(cookie) >> 48) * 8) /* bytes from rsp */
#define GUARD_ADDRESS(cookie) ((unsigned int)((cookie) >> 32))		  /* of a GUARD_PASS's site in the image */
#define GUARD_WORDS(cookie) ((unsigned int)(((cookie) >> 24) & 0xff))	  /* of a GUARD_QUERY_CALLER */
#define GUARD_MAX_WORDS 0xff
#define GUARD_MAKE(naming, id, reg, self)                                                                       \
	((unsigned long long)(naming) << 8 | (unsigned long long)(id) << 12 | (unsigned long long)(reg) << 24 | \
	 (unsigned long long)(self) << 28)
#define GUARD_WITH_NUMBER(number, displacement) \
	((unsigned long long)(number) << 32 | (unsigned long long)(unsigned short)(short)((displacement) / 8) << 48)
#define WIRE_MAX_GUARDS 4095

enum guard_naming {
	GUARD_FIXED = 1,    /* the number is all */
	GUARD_ARGUMENT = 2, /* the number; pointer and length of its argument are on the stack, at the displacement */
	GUARD_QUERY_REGISTER = 3, /* the query whose vtable is in the register */
	GUARD_QUERY_STACK = 4,	  /* the query whose vtable is on the stack, at the displacement */
	GUARD_QUERY_RUNNING = 5,  /* the query that the thread is in */
	GUARD_PASS = 6, /* the MIR pass whose vtable is in the register, at the address in the self register */
	/* The query by whose vtable the function was called: besides the class the number says in which table of
	 * callers to look, and in the place of the registers stands how many words above rsp the return address is. */
	GUARD_QUERY_CALLER = 7,
};

/* A MIR pass is known by the compiler's number and the address of its vtable in the image. */
struct wire_pass_key {
	unsigned int compiler;
	unsigned int vtable;
};

struct wire_pass {
	unsigned int selector; /* offset in the pass of the byte that is added to the number */
	unsigned short number;
	unsigned short count; /* of numbers; if there is but one, the byte is not looked at */
};

/* A call of a function is known by the table and how far behind the guard's begin the return address is. */
struct wire_caller_key {
	unsigned int compiler;
	unsigned int table;
	long long distance;
};

/* Where the vtable then lies. */
struct wire_caller {
	unsigned int reg;
	int displacement; /* bytes from rsp, if `reg` is WIRE_ON_STACK */
};

/* Every record begins with this. `tgid` and `tid` as the initial pid namespace numbers them. */
struct wire_header {
	unsigned int kind; /* enum wire_kind */
	unsigned int tgid;
	unsigned int tid;
	unsigned int count; /* of intervals, or of bytes of command line */
};

enum wire_kind {
	WIRE_INTERVALS = 1, /* struct wire_intervals: what has finished in one thread, by rising end */
	WIRE_COMPILER = 2,  /* struct wire_compiler: a process began to compile */
	WIRE_ARGS = 3,	    /* struct wire_args: the next piece of its command line */
	WIRE_EXEC = 4,	    /* struct wire_exec: a process of the tree became another program */
	WIRE_END = 5,	    /* struct wire_end: a process of the tree ended, or became another program */
	WIRE_TEXT = 6,	    /* struct wire_text: what the argument of an interval to come stands for */
	WIRE_FILE = 7,	    /* struct wire_file: a compiler, or a program that it started, has written a file */
	WIRE_RENAME = 8,    /* struct wire_rename: or renamed one */
	WIRE_FORK = 9,	    /* struct wire_fork: a process of the tree has started another */
	WIRE_FREED = 10,  /* struct wire_freed: nothing is left of a process that ended, its parent has waited for it */
	WIRE_SAMPLE = 11, /* struct wire_sample: where a thread was at a time */
	WIRE_OBJECT = 12, /* struct wire_object: code of a file was met for the first time */
	WIRE_ABSENCE = 13, /* struct wire_absence: a thread was off the CPU */
	WIRE_TIMES = 14,   /* struct wire_times: a thread ended, became another program, or recording did */
};

/*
 * One that has finished. start_and_number: low 48 bits nanoseconds since the process's exec, high 16 bits its number.
 * length_and_flags: low 48 bits nanoseconds, high 16 bits INTERVAL_ flags.
 */
struct wire_interval {
	unsigned long long start_and_number;
	unsigned long long length_and_flags;
};

#define WIRE_TIME_MASK ((1ULL << 48) - 1)
#define INTERVAL_UNWOUND (1ULL << 48)	/* left by a panic; closed when it was found gone */
#define INTERVAL_TRUNCATED (1ULL << 49) /* still running when its thread ended or recording stopped */
#define INTERVAL_BEFORE (1ULL << 51)	/* had begun when its process was joined; it is as long as that is ago */
#define INTERVAL_ARGUMENT (1ULL << 50)	/* the next in the record is no interval: its first word is the argument */

struct wire_intervals {
	struct wire_header header;
	struct wire_interval intervals[WIRE_BATCH];
};

/* What happened to a process, besides the intervals that were sent. */
struct wire_counts {
	unsigned long long lost;      /* queries for which the ring buffer, or the kernel's memory, had no room */
	unsigned long long missed;    /* exits of queries that were entered before the probes were there */
	unsigned long long unwound;   /* intervals sent with INTERVAL_UNWOUND */
	unsigned long long truncated; /* intervals sent with INTERVAL_TRUNCATED */
	unsigned long long too_deep;  /* queries nested deeper than WIRE_MAX_DEPTH, not recorded */
	unsigned long long unseen;    /* switches of threads that were noticed only at the next one */
};

struct wire_compiler {
	struct wire_header header; /* count: bytes of command line that follow in WIRE_ARGS records */
	unsigned long long start;  /* of the program: its exec, or the fork if it never called exec */
	unsigned int compiler;	   /* the compiler's number, as in the cookies */
	unsigned short joined;	   /* 1 if the process ran before recording began: `start` is when it was joined */
	unsigned short from_start; /* 1 if the start of the compilation was seen: no query of it came before */
};

struct wire_args {
	struct wire_header header;
	char bytes[WIRE_ARGS_CHUNK];
};

struct wire_text {
	struct wire_header header; /* count: bytes of text */
	unsigned long long argument;
	char bytes[WIRE_MAX_TEXT];
};

/* Which process of that tgid a record is about. */
struct wire_life {
	unsigned long long born; /* when it was forked */
	unsigned int parent;	 /* tgid of who forked it; 0 if not known */
	unsigned int padding;
};

struct wire_fork {
	struct wire_header header; /* of the new process */
	struct wire_life life;
	char comm[WIRE_COMM];
};

struct wire_exec {
	struct wire_header header; /* count: bytes of command line in this record */
	struct wire_life life;
	unsigned long long time;
	unsigned long long args_size; /* bytes of the whole command line */
	char comm[WIRE_COMM];
	char args[WIRE_ARGS_CHUNK];
};

struct wire_end {
	struct wire_header header;
	struct wire_life life;
	unsigned long long time;
	struct wire_counts counts;
	/* Most pages that it had in memory: before its last exec, and since; 0 where the kernel no longer says. */
	unsigned long long pages_before, pages;
	int exit_code; /* as wait(2) reports it */
	unsigned int by_exec;
};

/* What getrusage(2) would say of the process, all its threads together. */
struct wire_freed {
	struct wire_header header;
	struct wire_life life;
	unsigned long long run_time;	 /* nanoseconds on the CPU */
	unsigned long long user, system; /* its parts, which are found by sampling: only their proportion counts */
	unsigned long long pages;	 /* the most that it had in memory */
	int exit_code;
	unsigned int padding;
};

/*
 * A regular file that was open for writing was closed, or another one is about to be copied into it. The header's tgid
 * is the compiler's, and so is its tid if another process wrote the file.
 */
struct wire_file {
	struct wire_header header; /* count: 1 for a copy */
	unsigned long long size;   /* bytes */
	unsigned int writer;	   /* tgid of the process that wrote it */
	unsigned int padding;
	char name[WIRE_FILE_NAME]; /* without directories; up to a NUL */
};

/* A file was renamed. Both paths as the process gave them, up to a NUL. */
struct wire_rename {
	struct wire_header header; /* tgid and tid as in wire_file */
	char from[WIRE_PATH];
	char to[WIRE_PATH];
};

/* Why a sample has no more places. */
enum sample_end {
	SAMPLE_WHOLE,	    /* the start of the thread was reached */
	SAMPLE_CUT,	    /* there are more than WIRE_MAX_WORDS */
	SAMPLE_NO_MAPPING,  /* the next place is in no memory of the process, or that could not be looked up */
	SAMPLE_NO_FILE,	    /* in memory that is no file's */
	SAMPLE_NO_TABLE,    /* in a file without a table, or whose table is not loaded yet */
	SAMPLE_NO_ROW,	    /* in code of which its file's table says nothing */
	SAMPLE_NO_RULE,	    /* in code whose caller is found in a way that is not known here */
	SAMPLE_NO_MEMORY,   /* a word of the stack could not be read */
	SAMPLE_NO_PROGRESS, /* the caller's frame would not be above its callee's */
	SAMPLE_ENDS
};

/*
 * The stack of a thread, from the innermost place on. A word says in its high 16 bits what it is:
 * - an object's number, from 1 on: the low 48 bits are an offset in that file, of an instruction that was about to run
 *   for the first place and those that a signal interrupted, of the last byte of a call for all others;
 * - WORD_NO_OBJECT: an address in the process that belongs to no object;
 * - WORD_FRAME: a query or activity that began in the function of the next place, and has not ended. The low 16 bits
 *   are its number, as in struct wire_interval.
 */
#define WORD_NO_OBJECT 0
#define WORD_FRAME 0xffff
#define WORD_MAKE(kind, value) ((unsigned long long)(kind) << 48 | ((value)&WIRE_TIME_MASK))
#define WORD_KIND(word) ((unsigned int)((word) >> 48))
#define WORD_VALUE(word) ((word)&WIRE_TIME_MASK)

#define SAMPLE_IN_KERNEL 1
#define SAMPLE_IN_FAULT 2 /* in the kernel, because of a page fault */

struct wire_sample {
	struct wire_header header; /* count: words */
	unsigned long long time;
	unsigned long long skew;  /* what the thread's clock was behind by for its probes */
	unsigned short end;	  /* enum sample_end */
	unsigned short in_kernel; /* bits of SAMPLE_IN_*; then the places are those from which the thread went there */
	unsigned int compiler;	  /* as in the cookies; of no meaning without WORD_FRAMEs */
	char process[WIRE_COMM];  /* the name of its first thread, and its own */
	char thread[WIRE_COMM];
	unsigned long long words[WIRE_MAX_WORDS];
};

/*
 * A file that samples are in. Inode numbers are given anew when a file is removed, and files are written anew. All zero
 * for the vdso, the library that the kernel maps into each process.
 */
struct wire_object_key {
	unsigned long long inode;
	unsigned long long size; /* bytes */
	unsigned int device;	 /* as the kernel packs it */
	unsigned int generation;
};

struct wire_object {
	struct wire_header header; /* of a process that has mapped it; count: the object's number */
	struct wire_object_key key;
	unsigned long long start, end; /* of the mapping, bytes: the file is /proc/TGID/map_files/START-END */
};

/* What identify_file is asked: which file is mapped at an address of who asks. Its key is all zero for none. */
struct wire_mapped {
	unsigned long long address;
	struct wire_object_key key;
};

/* Why a thread was off the CPU. */
enum absence_reason {
	ABSENCE_PREEMPTED, /* it could have run on, but others were to run */
	ABSENCE_FUTEX,
	ABSENCE_PAGE_IN, /* a page that it touched was read from a file or the swap */
	ABSENCE_PIPE,
	ABSENCE_CHILD,	/* waited for a process to end, or for a new one to become another program */
	ABSENCE_ASLEEP, /* for a time that it chose, or until something happens but no longer */
	ABSENCE_FILE_IO,
	ABSENCE_OTHER,
	ABSENCE_REASONS
};

/* A thread was off the CPU, and came back or ended. */
struct wire_absence {
	struct wire_header header; /* count: frames sent */
	unsigned long long time, length;
	unsigned long long skew;		    /* what the thread's clock was behind by for its probes */
	unsigned int compiler;			    /* as in the cookies; of no meaning without frames */
	unsigned short reason;			    /* enum absence_reason */
	unsigned short depth;			    /* frames on the shadow stack */
	unsigned short frames[WIRE_ABSENCE_FRAMES]; /* their numbers as in struct wire_interval, the innermost first */
};

/* The whole time that a thread was looked at, whether all its absences were sent or not. */
struct wire_times {
	struct wire_header header;
	unsigned long long start, end;		 /* from its first query, or the start of the compilation */
	unsigned long long off[ABSENCE_REASONS]; /* nanoseconds off the CPU; it was on it all the rest */
	unsigned long long ran;			 /* nanoseconds for which it has run by the scheduler's account */
	char process[WIRE_COMM];		 /* the name of its first thread, and its own */
	char thread[WIRE_COMM];
};

/* An entry of the map of processes; the key is the tgid. */
struct wire_process {
	unsigned long long start;
	struct wire_counts counts;
	unsigned long long tcx;	 /* where the TyCtxt of the thread that was last to meet one lies */
	unsigned long long skew; /* nanoseconds in probes, of the thread that spent the most */
	unsigned long long pace; /* of the thread that sent last: 256 times the nanoseconds of an exit's program */
	unsigned int flags;	 /* PROCESS_ flags */
	unsigned int threads;	 /* with a shadow stack */
	unsigned int compiler;	 /* tgid of the compiler that has started it, itself or by others; 0 for none */
	unsigned int parent;	 /* as in wire_life */
	unsigned long long born; /* likewise; 0 if the collector began to follow it and nothing happened since */
	unsigned long long end;	 /* when it ended, if WIRE_END had no room */
	unsigned long long pages_before; /* as in wire_end */
	int exit_code;			 /* likewise */
	unsigned int padding;
};

#define PROCESS_COMPILER 1u /* WIRE_COMPILER was sent */
#define PROCESS_DEAD 2u	    /* its last thread is gone */
#define PROCESS_JOINED 4u   /* ran before recording began */
#define PROCESS_ENDED 8u    /* WIRE_END was sent, or had no room in the ring buffer */
#define PROCESS_ALONE 16u   /* what it starts is not followed */

/*
 * A query or a guard that is running. It is known by rsp at its two sites, which is the same at both, and, as one
 * function can have several guards, by the guard's id; a query's is 0.
 */
struct wire_frame {
	unsigned long long key;
	unsigned long long start_and_number; /* as in struct wire_interval */
	unsigned long long argument;	     /* likewise; 0 for none */
};

/*
 * A thread of a followed process at this moment, as reading the iterator over threads gives it. Behind it come `depth`
 * struct wire_frame, the outermost first, and `count` struct wire_interval, which have ended and are still to be sent.
 * The thread may run meanwhile: a frame that begins later than `last` has taken the place of one that was there.
 */
struct wire_thread {
	unsigned int tgid, tid;
	unsigned long long time;	  /* by the thread's own clock, as in its intervals; 0 if it has no frames */
	unsigned long long last;	  /* of its last entry or exit, by the same clock */
	unsigned long long run_time;	  /* nanoseconds on the CPU */
	unsigned long long run_time_gone; /* of the threads of its process that are gone */
	unsigned int depth, count;
	unsigned int waits; /* 0 if it runs or could */
	unsigned int padding;
	char comm[WIRE_COMM];
};

#ifdef __STDC_VERSION__
_Static_assert(sizeof(struct wire_header) == 16, "shared with BPF");
_Static_assert(sizeof(struct wire_interval) == 16, "shared with BPF");
_Static_assert(sizeof(struct wire_counts) == 48, "shared with BPF");
_Static_assert(sizeof(struct wire_compiler) == 32, "shared with BPF");
_Static_assert(sizeof(struct wire_end) == 112, "shared with BPF");
_Static_assert(sizeof(struct wire_freed) == 72, "shared with BPF");
_Static_assert(sizeof(struct wire_file) == 32 + WIRE_FILE_NAME, "shared with BPF");
_Static_assert(sizeof(struct wire_mapped) == 32, "shared with BPF");
_Static_assert(sizeof(struct wire_sample) == 72 + 8 * WIRE_MAX_WORDS, "shared with BPF");
_Static_assert(sizeof(struct wire_object) == 56, "shared with BPF");
_Static_assert(sizeof(struct wire_absence) == 48 + 2 * WIRE_ABSENCE_FRAMES, "shared with BPF");
_Static_assert(sizeof(struct wire_times) == 136, "shared with BPF");
_Static_assert(sizeof(struct wire_process) == 128, "shared with BPF");
_Static_assert(sizeof(struct wire_frame) == 24, "shared with BPF");
_Static_assert(sizeof(struct wire_thread) == 72, "shared with BPF");
#endif

#endif

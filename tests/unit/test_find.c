/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which compilers a command may use, in trees of files made up for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "compiler/find.h"
#include "util/path.h"

/* A tree for one test: home/ of the user, here/ where the command runs, and whatever the test puts there. */
static char top[] = "/tmp/querytap-find-XXXXXX";
static char tree[64];
static struct found_list found;

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Runs a shell command in the tree. */
static void __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
	char command[2048];
	int length = snprintf(command, sizeof(command), "cd '%s' && ", tree);
	va_list args;

	va_start(args, format);
	vsnprintf(command + length, sizeof(command) - (size_t)length, format, args);
	va_end(args);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* Writes a file of the tree; directories above it are made. */
static void __attribute__((format(printf, 2, 3))) put(const char *name, const char *format, ...)
{
	char *path = path_join(tree, name);
	FILE *file;
	va_list args;

	shell("mkdir -p \"$(dirname '%s')\"", name);
	file = fopen(path, "w");
	assert_non_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
	chmod(path, 0755);
	free(path);
}

/* Makes a sysroot as rustc's distribution has it: bin/rustc and bin/cargo, and lib/librustc_driver-<hash>.so. */
static void put_sysroot(const char *directory, const char *hash)
{
	shell("mkdir -p %s/bin %s/lib && cp prepared/librustc_driver-%s.so %s/lib && "
	      "cp prepared/rustc-%s %s/bin/rustc && cp prepared/plain %s/bin/cargo",
	      directory, directory, hash, directory, hash, directory, directory);
}

/* Makes a rustup installation with proxies in home/.cargo/bin and two toolchains, nightly (a) and stable (b). */
static void put_rustup(const char *settings)
{
	shell("mkdir -p home/.cargo/bin home/.rustup && cp prepared/plain home/.cargo/bin/rustup && "
	      "for i in rustc rustdoc cargo clippy-driver; do ln -s rustup home/.cargo/bin/$i; done");
	put_sysroot("home/.rustup/toolchains/nightly-x86_64-unknown-linux-gnu", "a");
	put_sysroot("home/.rustup/toolchains/stable-x86_64-unknown-linux-gnu", "b");
	put("home/.rustup/settings.toml", "version = \"12\"\n%s", settings);
}

static const char default_stable[] = "default_toolchain = \"stable-x86_64-unknown-linux-gnu\"\n";

/* Searches from here/`below` with the environment's entries, in which "@" stands for the tree. */
static void search_below(const char *below, const char *const *argv, const char *const *environment)
{
	char *entries[16] = {NULL};
	char *words[16] = {NULL};
	char cwd[128], home[128];
	struct find_input in = {.argv = words, .environment = entries, .cwd = cwd, .home = home};
	struct error err = {0};

	snprintf(cwd, sizeof(cwd), "%s/here%s", tree, below);
	snprintf(home, sizeof(home), "%s/home", tree);
	for (int list = 0; list < 2; list++) {
		for (size_t i = 0; (list ? environment : argv)[i]; i++) {
			const char *from = (list ? environment : argv)[i];
			char *to = calloc(1, 1024);

			(list ? entries : words)[i] = to;
			for (; *from; from++)
				strcpy(to + strlen(to), *from == '@' ? tree : (const char[]){*from, '\0'});
		}
	}
	found_list_free(&found);
	if (compilers_find(&in, &found, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < 16; i++) {
		free(entries[i]);
		free(words[i]);
	}
}

static void search(const char *const *argv, const char *const *environment)
{
	search_below("", argv, environment);
}

/* Compares the findings with a text of one letter each, by hash (z for a program): large if likely, small if not. */
static void assert_found(const char *expected)
{
	char text[32] = "";

	for (size_t i = 0; i < found.count && i < sizeof(text) - 1; i++) {
		const char *name = path_name(found.items[i].path);
		char letter = strncmp(name, "librustc_driver-", 16) == 0 ? name[16] : 'z';

		assert_true(found.items[i].path[0] == '/');
		assert_true(*found.items[i].origin != '\0');
		text[i] = (char)(found.items[i].likely ? letter - 'a' + 'A' : letter);
	}
	assert_string_equal(text, expected);
}

static int make_tree(void **state)
{
	static int number;

	(void)state;
	snprintf(tree, sizeof(tree), "%s/%d", top, number++);
	if (mkdir(tree, 0777))
		return -1;
	shell("mkdir home here && ln -s ../prepared");
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	found_list_free(&found);
	return 0;
}

/* Builds the small ELF files that the trees are made of: drivers a to d, a rustc that loads each, and others. */
static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	strcpy(tree, top);
	shell("mkdir prepared && cd prepared && echo 'int nothing;' >plain.c && "
	      "echo 'void _RNvCs1_16rustc_query_impl3run(void) {}' >static.c && "
	      "cc -shared -nostdlib -o plain plain.c && cc -shared -nostdlib -o static static.c && "
	      "for i in a b c d; do cc -shared -nostdlib -o librustc_driver-$i.so plain.c && "
	      "link() { cc -shared -nostdlib -Wl,--no-as-needed -o $1 plain.c -L. -l:librustc_driver-$i.so $2; } && "
	      "link rustc-$i '-Wl,-rpath,$ORIGIN/../lib' && link rustc-$i-bare && "
	      "link rustc-$i-rpath '-Wl,--disable-new-dtags,-rpath,/nowhere:${ORIGIN}/private' || exit; done");
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void command_is_a_compiler(void **state)
{
	(void)state;
	put_sysroot("opt", "a");
	put_sysroot("other", "b");
	search(WORDS("@/opt/bin/rustc", "x.rs"), WORDS("PATH=@/other/bin"));
	assert_found("Ab"); /* a rustc runs no other rustc */
	search(WORDS("../opt/bin/rustc", "x.rs"), WORDS("PATH=/nowhere"));
	assert_found("A");
	search(WORDS("rustc", "x.rs"), WORDS("PATH=@/nowhere:@/other/bin:@/opt/bin"));
	assert_found("Ba");
}

static void cargo_leads_to_the_compiler_beside_it(void **state)
{
	(void)state;
	put_sysroot("opt", "a");
	search(WORDS("@/opt/bin/cargo", "build"), WORDS("HOME=@/home"));
	assert_found("A");
}

static void any_command_may_use_what_is_on_path(void **state)
{
	(void)state;
	put_sysroot("opt", "a");
	put_sysroot("other", "b");
	shell("mkdir links && ln -s ../opt/bin/rustc links/rustc && cp prepared/rustc-a opt/bin/rustdoc");
	search(WORDS("make"), WORDS("PATH=@/links:@/opt/bin:@/other/bin"));
	assert_found("Ab");
	assert_string_equal(found.items[0].origin, "rustc on PATH");
	search(WORDS("make"), WORDS("PATH=/nowhere"));
	assert_found("");
	search(WORDS(NULL), WORDS("PATH=@/opt/bin"));
	assert_found("A");
	/* An empty entry of PATH is the working directory. */
	shell("cp -r opt/. here");
	search(WORDS("make"), WORDS("PATH=/nowhere::/nowhere"));
	assert_found("");
	shell("mkdir lib && cp prepared/rustc-c here/rustc && cp prepared/librustc_driver-c.so lib");
	search(WORDS("make"), WORDS("PATH=/nowhere::/nowhere"));
	assert_found("C");
}

static void the_loader_is_followed(void **state)
{
	(void)state;
	shell("mkdir -p bin/private far && cp prepared/rustc-a-rpath bin/rustc && cp prepared/rustc-b-bare bin/rustdoc "
	      "&& "
	      "cp prepared/librustc_driver-a.so bin/private && cp prepared/librustc_driver-b.so far");
	search(WORDS("make"), WORDS("PATH=@/bin"));
	assert_found("A");
	search(WORDS("make"), WORDS("PATH=@/bin", "LD_LIBRARY_PATH=/nowhere:@/far"));
	assert_found("AB");
}

static void a_driver_linked_into_the_program_is_the_program(void **state)
{
	(void)state;
	shell("mkdir bin && cp prepared/static bin/rustc && cp prepared/plain bin/cargo");
	search(WORDS("make"), WORDS("PATH=@/bin"));
	assert_found("Z");
	assert_string_equal(path_name(found.items[0].path), "rustc");
	assert_true(found.items[0].likely);
}

static void variables_name_compilers_and_wrappers(void **state)
{
	(void)state;
	put_sysroot("opt", "a");
	put_sysroot("other", "b");
	put("bin/wrap", "#!/bin/sh\nexec %s/other/bin/rustc \"$@\"\n", tree);
	put("bin/loop", "#!/bin/sh\nexec %s/bin/rustc \"$@\"\n", tree);
	put("bin/rustc", "#!/bin/sh\nexec \"%s/bin/rustc\"; '%s/opt/bin/rustc'\n", tree, tree);
	search(WORDS("make"), WORDS("PATH=/nowhere", "RUSTC=@/opt/bin/rustc"));
	assert_found("A");
	assert_string_equal(found.items[0].origin, "RUSTC");
	search(WORDS("make"), WORDS("PATH=/nowhere", "CARGO_BUILD_RUSTC=../opt/bin/rustc", "RUSTDOC="));
	assert_found("A");
	search(WORDS("make"), WORDS("PATH=@/bin", "RUSTC_WRAPPER=wrap"));
	assert_found("BA");
	search(WORDS("make"), WORDS("PATH=/nowhere", "RUSTC_WORKSPACE_WRAPPER=@/bin/loop"));
	assert_found("A");
}

static void arguments_name_compilers(void **state)
{
	(void)state;
	put_sysroot("opt", "a");
	put_rustup(default_stable);
	shell("rm -r home/.cargo");
	search(WORDS("make", "RUSTC=@/opt/bin/rustc"), WORDS("PATH=/nowhere"));
	assert_found("Aab");
	search(WORDS("make", "OUR_COMPILER=@/opt/bin/rustc"), WORDS("PATH=/nowhere"));
	assert_found("Aab");
	search(WORDS("sh", "-c", "cd x && RUSTC='@/opt/bin/rustc' cargo build"), WORDS("PATH=/nowhere"));
	assert_found("Aab");
	search(WORDS("env", "PATH=@/opt/bin", "cargo", "build"), WORDS("PATH=/nowhere"));
	assert_found("Aab");
	search(WORDS("cargo", "build", "--config", "build.rustc=\"@/opt/bin/rustc\""), WORDS("PATH=/nowhere"));
	assert_found("Aab");
	search(WORDS("nice", "@/opt/bin/rustc"), WORDS("PATH=/nowhere"));
	assert_found("Aab");
}

static void a_proxy_stands_for_the_default_toolchain(void **state)
{
	(void)state;
	put_rustup(default_stable);
	search(WORDS("cargo", "build"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ba");
	assert_string_equal(found.items[0].origin, "toolchain stable-x86_64-unknown-linux-gnu");
	search(WORDS("make"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ba");
	search(WORDS("make"), WORDS("PATH=/nowhere"));
	assert_found("ab");
	shell("mv home/.rustup elsewhere");
	search(WORDS("make"), WORDS("PATH=@/home/.cargo/bin", "RUSTUP_HOME=@/elsewhere"));
	assert_found("Ba");
	search(WORDS("make"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("");
}

static void proxies_may_be_hard_links(void **state)
{
	(void)state;
	put_rustup(default_stable);
	shell("cd home/.cargo/bin && rm rustc && ln rustup rustc && rm cargo rustdoc clippy-driver");
	search(WORDS("rustc", "x.rs"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ba");
}

static void the_command_line_chooses_the_toolchain_first(void **state)
{
	(void)state;
	put_rustup(default_stable);
	put("here/rust-toolchain", "stable\n");
	search(WORDS("cargo", "+nightly", "build"), WORDS("PATH=@/home/.cargo/bin", "RUSTUP_TOOLCHAIN=stable"));
	assert_found("Ab");
	search(WORDS("rustup", "run", "nightly", "cargo", "build"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("BA");
	search(WORDS("sh", "-c", "cargo build; cargo +nightly build"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("AB");
	search(WORDS("chmod", "+x", "file"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ba");
}

static void the_variable_chooses_before_files(void **state)
{
	(void)state;
	put_rustup(default_stable);
	put("here/rust-toolchain", "stable\n");
	search(WORDS("cargo", "build"), WORDS("PATH=@/home/.cargo/bin", "RUSTUP_TOOLCHAIN=nightly"));
	assert_found("Ab");
	search(WORDS("env", "RUSTUP_TOOLCHAIN=nightly", "cargo"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("AB");
	put_sysroot("built", "c");
	search(WORDS("cargo", "build"), WORDS("PATH=@/home/.cargo/bin", "RUSTUP_TOOLCHAIN=@/built"));
	assert_found("Cab");
}

static void toolchain_files_are_read_upwards(void **state)
{
	static const char *const files[][2] = {
	    {"here/rust-toolchain", "nightly"},
	    {"here/rust-toolchain", "  nightly-x86_64-unknown-linux-gnu \r\n\n"},
	    {"here/rust-toolchain", "[toolchain]\nchannel = \"nightly\"\n"},
	    {"here/rust-toolchain.toml", "[toolchain]\ncomponents = [\"rustfmt\"]\nchannel = 'nightly'\n"},
	    {"rust-toolchain.toml", "toolchain = { profile = \"minimal\", channel = \"nightly\" }"},
	    {"here/sub/rust-toolchain.toml", "toolchain.path = '../../home/.rustup/toolchains/"
					     "nightly-x86_64-unknown-linux-gnu'"},
	};

	(void)state;
	put_rustup(default_stable);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		put(files[i][0], "%s", files[i][1]);
		shell("mkdir -p here/sub");
		search_below("/sub", WORDS("cargo", "build"), WORDS("PATH=@/home/.cargo/bin"));
		assert_found("Ab");
		shell("rm '%s'", files[i][0]);
	}
	/* The nearest one counts; without the ending it counts before the one with it. */
	put("here/rust-toolchain.toml", "[toolchain]\nchannel = 'nightly'");
	put("here/sub/rust-toolchain", "stable");
	search_below("/sub", WORDS("cargo", "build"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ba");
	put("here/rust-toolchain", "stable");
	search(WORDS("cargo", "build"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ba");
	/* One that names what isn't installed hides the default all the same. */
	put("here/rust-toolchain", "1.2.3");
	search(WORDS("cargo", "build"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("ab");
}

static void overrides_are_settings_of_directories(void **state)
{
	char settings[512];

	(void)state;
	snprintf(settings, sizeof(settings), "%s[overrides]\n\"%s/here\" = \"nightly-x86_64-unknown-linux-gnu\"\n",
		 default_stable, tree);
	put_rustup(settings);
	shell("mkdir -p here/sub");
	search_below("/sub", WORDS("cargo"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ab");
	put("here/sub/rust-toolchain", "stable");
	search_below("/sub", WORDS("cargo"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ba");
	put("here/rust-toolchain", "stable");
	search(WORDS("cargo"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Ab");
}

static void names_are_completed_with_the_host(void **state)
{
	(void)state;
	put_rustup("default_host_triple = \"x86_64-unknown-linux-musl\"\ndefault_toolchain = \"nightly\"\n");
	put_sysroot("home/.rustup/toolchains/nightly-x86_64-unknown-linux-musl", "c");
	search(WORDS("cargo"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Cab");
	put_sysroot("built", "d");
	shell("ln -s ../../../built home/.rustup/toolchains/stage1 && rm built/bin/rustc");
	search(WORDS("cargo", "+stage1"), WORDS("PATH=@/home/.cargo/bin"));
	assert_found("Dacb");
}

static void cargo_settings_are_read_upwards(void **state)
{
	(void)state;
	put_sysroot("opt", "a");
	put_sysroot("other", "b");
	put("bin/wrap", "#!/bin/sh\nexec %s/other/bin/rustc \"$@\"\n", tree);
	shell("mkdir -p here/sub");
	put(".cargo/config.toml", "[target.x]\nrustc = 'no'\n[build]\nrustc = \"opt/bin/rustc\"\n");
	search_below("/sub", WORDS("make"), WORDS("PATH=/nowhere"));
	assert_found("A");
	shell("rm .cargo/config.toml");
	put("here/.cargo/config", "build.rustc-wrapper = 'wrap'\n");
	search_below("/sub", WORDS("make"), WORDS("PATH=@/bin"));
	assert_found("B");
	shell("rm here/.cargo/config");
	put("home/.cargo/config.toml", "build.rustc = '../opt/bin/rustc'");
	search_below("/sub", WORDS("make"), WORDS("PATH=/nowhere"));
	assert_found("A");
	put("ch/config.toml", "build.rustc = 'other/bin/rustc'");
	search_below("/sub", WORDS("make"), WORDS("PATH=/nowhere", "CARGO_HOME=@/ch"));
	assert_found("B");
}

static void scripts_are_read_for_compilers(void **state)
{
	(void)state;
	put_sysroot("opt", "a");
	put_rustup(default_stable);
	put("here/build", "#!/bin/sh\nexport RUSTC=%s/opt/bin/rustc\n~/.cargo/bin/cargo +nightly build\n", tree);
	search(WORDS("./build"), WORDS("PATH=/nowhere"));
	assert_found("ABA");
}

static void odd_files_do_no_harm(void **state)
{
	(void)state;
	put_rustup(default_stable);
	shell("mkfifo here/rust-toolchain here/rustc && mkdir -p here/.cargo/config.toml here/cargo && "
	      "printf '\\177ELF' >here/rustdoc && printf '\\177ELF%%4096s' x >here/clippy-driver && "
	      "chmod +x here/* && ln -s loop loop && echo >>home/.rustup/toolchains/file");
	search(WORDS("./rustc", "run", "", "+", "+/", "=", "RUSTC=", "PATH=", "/"),
	       WORDS("PATH=@/here:@/loop:@/home/.cargo/bin", "RUSTC=@/loop", "RUSTUP_TOOLCHAIN"));
	assert_found("Ba");
}

static void the_real_compiler_is_found(void **state)
{
	char *cwd = getcwd(NULL, 0);
	struct find_input in = {
	    .argv = (char *[]){(char *)"rustc", (char *)"x.rs", NULL},
	    .environment = environ,
	    .cwd = cwd,
	    .home = getenv("HOME"),
	};
	struct error err;

	(void)state;
	if (!in.home || system("command -v rustc >/dev/null")) {
		free(cwd);
		skip();
	}
	found_list_free(&found);
	assert_int_equal(compilers_find(&in, &found, &err), 0);
	free(cwd);
	assert_true(found.count > 0);
	assert_true(found.items[0].likely);
	assert_non_null(strstr(found.items[0].path, "rustc"));
	for (size_t i = 1; i < found.count; i++)
		assert_false(found.items[i].likely);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, drop_tree)
	const struct CMUnitTest tests[] = {
	    TEST(command_is_a_compiler),
	    TEST(cargo_leads_to_the_compiler_beside_it),
	    TEST(any_command_may_use_what_is_on_path),
	    TEST(the_loader_is_followed),
	    TEST(a_driver_linked_into_the_program_is_the_program),
	    TEST(variables_name_compilers_and_wrappers),
	    TEST(arguments_name_compilers),
	    TEST(a_proxy_stands_for_the_default_toolchain),
	    TEST(proxies_may_be_hard_links),
	    TEST(the_command_line_chooses_the_toolchain_first),
	    TEST(the_variable_chooses_before_files),
	    TEST(toolchain_files_are_read_upwards),
	    TEST(overrides_are_settings_of_directories),
	    TEST(names_are_completed_with_the_host),
	    TEST(cargo_settings_are_read_upwards),
	    TEST(scripts_are_read_for_compilers),
	    TEST(odd_files_do_no_harm),
	    TEST(the_real_compiler_is_found),
	};

	return cmocka_run_group_tests_name("find", tests, set_up, tear_down);
}

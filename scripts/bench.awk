# SPDX-License-Identifier: MIT OR Apache-2.0
# The arithmetic of scripts/bench, and how its results are printed. `form` is text, markdown or json; rounds, compiler,
# kernel and processors go into the heading. Its input has a line for each thing measured:
#
#   run CRATE WAY wall cpu [attach detach collector-beside collector-in-all peak-KiB queries others lost]
#   share CRATE WAY labels agreement
#   site KIND nanoseconds
#
# Times are in seconds. What the words mean is in scripts/bench --help.

function sort(values, count,    i, j, value) {
	for (i = 2; i <= count; i++) {
		value = values[i]
		for (j = i - 1; j > 0 && values[j] > value; j--)
			values[j + 1] = values[j]
		values[j + 1] = value
	}
}
function add(key, value) {
	series[key, ++counts[key]] = value + 0
}
# Puts median, smallest and largest of each series into middle, least and most.
function settle(    key, values, i, count) {
	for (key in counts) {
		count = counts[key]
		for (i = 1; i <= count; i++)
			values[i] = series[key, i]
		sort(values, count)
		middle[key] = count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
		least[key] = values[1]
		most[key] = values[count]
	}
}
function key_of(name, kind, what) {
	return name SUBSEP kind SUBSEP what
}
function has(name, kind, what) {
	return (name, kind, what) in middle
}
function median(name, kind, what) {
	return middle[name, kind, what]
}
function added(name, kind, what) {
	return median(name, kind, what) - median(name, "base", what)
}

# The following are numbers, or "" where there is none.

# What was added in the way `ours`, divided by what was added in the way `theirs`.
function ratio(name, ours, theirs, what) {
	if (!has(name, ours, what) || !has(name, theirs, what) || added(name, theirs, what) <= 0)
		return ""
	return added(name, ours, what) / added(name, theirs, what)
}
function around(name, kind) {
	return has(name, kind, "attach") ? median(name, kind, "attach") + median(name, kind, "detach") : ""
}
function around_ratio(name, ours, theirs) {
	if (!has(name, ours, "attach") || !has(name, theirs, "attach"))
		return ""
	return around(name, ours) / around(name, theirs)
}
# The collector's share of a core in percent, for 100,000 of the compile's queries a second.
function collector(name, kind, what) {
	return has(name, kind, what) && queries[name] > 0 ? 100 * median(name, kind, what) / (queries[name] / 1e5) : ""
}

function number(format, value) {
	return value == "" ? "-" : sprintf(format, value)
}
function percent_added(name, kind, what) {
	return sprintf("%+.1f%%", 100 * added(name, kind, what) / median(name, "base", what))
}
# What stands before the item with this number.
function comma(item) {
	return item > 1 ? "," : ""
}
function json_number(value) {
	return value == "" ? "null" : sprintf("%.4f", value)
}
function json_series(name, kind, what,    key) {
	key = key_of(name, kind, what)
	return sprintf("{\"median\":%.4f,\"min\":%.4f,\"max\":%.4f}", middle[key], least[key], most[key])
}

function print_json_kind(name, kind) {
	printf "\"%s\":{\"rounds\":%d,\"wall_s\":%s,\"cpu_s\":%s", kind, counts[key_of(name, kind, "wall")],
		json_series(name, kind, "wall"), json_series(name, kind, "cpu")
	if (has(name, kind, "attach")) {
		printf ",\"queries\":%d,\"other_events\":%d,\"lost\":%d", recorded[name, kind], others[name, kind],
			lost[name, kind]
		printf ",\"attach_s\":%s,\"detach_s\":%s", json_series(name, kind, "attach"), json_series(name, kind, "detach")
		printf ",\"collector_beside_s\":%s,\"collector_s\":%s", json_series(name, kind, "beside"),
			json_series(name, kind, "collector")
		printf ",\"collector_beside_percent\":%s,\"collector_percent\":%s", json_number(collector(name, kind, "beside")),
			json_number(collector(name, kind, "collector"))
		printf ",\"peak_mib\":%s", json_series(name, kind, "peak")
	}
	if (has(name, kind, "labels"))
		printf ",\"self_time_same_labels\":%s,\"self_time_agreement\":%s", json_series(name, kind, "labels"),
			json_series(name, kind, "agreement")
	printf "}"
}
function print_json_crate(name,    k, r, printed) {
	printf "{\"name\":\"%s\",\"queries\":%d,\"ways\":{", name, queries[name]
	for (k = 1; k <= kind_count; k++)
		if (has(name, kinds[k], "wall")) {
			printf "%s", comma(++printed)
			print_json_kind(name, kinds[k])
		}
	printf "},\"ratios\":["
	for (r = 1; r <= ratio_count; r++)
		printf "%s{\"added_by\":\"%s\",\"over\":\"%s\",\"wall\":%s,\"cpu\":%s,\"attached_and_let_go\":%s}", comma(r),
			ours[r], theirs[r], json_number(ratio(name, ours[r], theirs[r], "wall")),
			json_number(ratio(name, ours[r], theirs[r], "cpu")), json_number(around_ratio(name, ours[r], theirs[r]))
	printf "]}"
}
function print_json(    n, s) {
	printf "{\"compiler\":\"%s\",\"kernel\":\"%s\",\"processors\":%d,\"rounds\":%d,\"crates\":[", compiler, kernel,
		processors, rounds
	for (n = 1; n <= name_count; n++) {
		printf "%s", comma(n)
		print_json_crate(names[n])
	}
	printf "],\"sites_ns\":{"
	for (s = 1; s <= site_count; s++)
		printf "%s\"%s\":%s", comma(s), sites[s], json_series("", sites[s], "site")
	print "}}"
}

function print_text_kind(name, kind) {
	printf "  %-34s %9.3f s %8s %9.3f s %8s", title[kind], median(name, kind, "wall"),
		(kind == "base" ? "" : percent_added(name, kind, "wall")), median(name, kind, "cpu"),
		(kind == "base" ? "" : percent_added(name, kind, "cpu"))
	if (has(name, kind, "attach"))
		printf " %8.3f s %8.3f s %8.3f %8.3f s %7.1f MiB%s", median(name, kind, "attach"), median(name, kind, "detach"),
			median(name, kind, "beside"), median(name, kind, "collector"), median(name, kind, "peak"),
			(lost[name, kind] ? "  LOST " lost[name, kind] : "")
	print ""
}
function print_text_crate(name,    k, kind, r) {
	printf "\n%s: %d queries, %d other events\n", name, queries[name], others[name, "exact"]
	printf "  %-34s %11s %8s %11s %8s %10s %10s %19s %11s\n", "", "wall", "added", "cpu", "added", "attach", "detach",
		"collector, in all", "peak"
	for (k = 1; k <= kind_count; k++)
		if (has(name, kinds[k], "wall"))
			print_text_kind(name, kinds[k])
	for (r = 1; r <= ratio_count; r++)
		if (has(name, ours[r], "wall"))
			printf "  added by %s / added by %s: %s wall, %s cpu\n", title[ours[r]], title[theirs[r]],
				number("%.2f", ratio(name, ours[r], theirs[r], "wall")),
				number("%.2f", ratio(name, ours[r], theirs[r], "cpu"))
	if (has(name, "bpftrace", "attach"))
		printf "  attached and let go: bpftrace %.1f s, querytap %.2f s, %.0f times as long\n", around(name, "bpftrace"),
			around(name, "exact-providers"), around_ratio(name, "bpftrace", "exact-providers")
	for (k = 1; k <= kind_count; k++) {
		kind = kinds[k]
		if (has(name, kind, "labels"))
			printf "  self time under the same labels as -Zself-profile, %s: %.2f%% (%.2f%%)\n", title[kind],
				100 * median(name, kind, "labels"), 100 * median(name, kind, "agreement")
	}
	for (k = 1; k <= kind_count; k++) {
		kind = kinds[k]
		if (collector(name, kind, "beside") != "")
			printf "  %% of a core per 100,000 queries/s, %s: %.2f (%.2f)\n", title[kind],
				collector(name, kind, "beside"), collector(name, kind, "collector")
	}
}
function print_text(    n, s) {
	if (name_count)
		printf "%s, ", compiler
	printf "Linux %s, %d processors, medians of %d round%s\n", kernel, processors, rounds,
		(rounds == 1 ? "" : "s")
	for (n = 1; n <= name_count; n++)
		print_text_crate(names[n])
	if (site_count)
		print "\nA probe on"
	for (s = 1; s <= site_count; s++)
		printf "  %-34s %7.0f ns (%.0f to %.0f)\n", site_title(sites[s]), median("", sites[s], "site"),
			least["", sites[s], "site"], most["", sites[s], "site"]
}

# Prints a row of the table: a title, then a cell for each crate.
function print_row(text, what, ours, theirs,    n, name, cell) {
	printf "| %s |", text
	for (n = 1; n <= name_count; n++) {
		name = names[n]
		if (what == "base")
			cell = sprintf("%.2f s", median(name, "base", "wall"))
		else if (what == "added")
			cell = has(name, ours, "wall") ? sprintf("%+.0f %%", 100 * added(name, ours, "wall") / median(name, "base", "wall")) : "-"
		else if (what == "ratio")
			cell = number("%.2f", ratio(name, ours, theirs, "wall"))
		else if (what == "labels")
			cell = has(name, ours, "labels") ? sprintf("%.1f %%", 100 * median(name, ours, "labels")) : "-"
		else if (what == "around")
			cell = number("%.1f s", around(name, ours))
		else if (what == "collector")
			cell = number("%.1f %%", collector(name, ours, "beside"))
		else if (what == "peak")
			cell = has(name, ours, "peak") ? sprintf("%.0f MiB", median(name, ours, "peak")) : "-"
		printf " %s |", cell
	}
	print ""
}
function print_markdown_crates(    n, k, r, kind) {
	printf "%s, Linux %s, %d processors, medians of %d round%s:\n\n| |", compiler, kernel, processors, rounds,
		(rounds == 1 ? "" : "s")
	for (n = 1; n <= name_count; n++)
		printf " %s: %d queries, %d other events |", names[n], queries[names[n]], others[names[n], "exact"]
	printf "\n|---|"
	for (n = 1; n <= name_count; n++)
		printf "---|"
	print ""
	print_row(title["base"], "base")
	for (k = 2; k <= kind_count; k++)
		if (kinds[k] in measured)
			print_row(title[kinds[k]], "added", kinds[k])
	for (r = 1; r <= ratio_count; r++)
		if (ours[r] in measured)
			print_row("added by " title[ours[r]] " / by " title[theirs[r]], "ratio", ours[r], theirs[r])
	for (k = 1; k <= kind_count; k++)
		if ((kinds[k], "labels") in measured)
			print_row("self time under the same labels, " title[kinds[k]], "labels", kinds[k])
	for (k = 1; k <= kind_count; k++) {
		kind = kinds[k]
		if (!((kind, "attach") in measured))
			continue
		print_row("attached and let go, " title[kind], "around", kind)
		print_row("collector, of a core per 100,000 queries/s, " title[kind], "collector", kind)
		print_row("peak memory, " title[kind], "peak", kind)
	}
}
function print_markdown(    s) {
	if (name_count)
		print_markdown_crates()
	if (!site_count)
		return
	printf "%s| a probe on | costs |\n|---|---|\n", name_count ? "\n" : ""
	for (s = 1; s <= site_count; s++)
		printf "| %s | %.0f ns |\n", site_title(sites[s]), median("", sites[s], "site")
}

function site_title(site) {
	return site in site_titles ? site_titles[site] : site
}
function compare(left, right) {
	ours[++ratio_count] = left
	theirs[ratio_count] = right
}

BEGIN {
	kind_count = split("base providers default exact-providers exact auto counts bpftrace", kinds, " ")
	title["base"] = "bare"
	title["providers"] = "-Zself-profile, providers"
	title["default"] = "-Zself-profile"
	title["exact-providers"] = "querytap exact, providers"
	title["exact"] = "querytap exact"
	title["auto"] = "querytap auto"
	title["counts"] = "querytap counts"
	title["bpftrace"] = "bpftrace, providers"
	compare("exact-providers", "providers")
	compare("exact", "default")
	compare("auto", "default")
	compare("counts", "default")
	compare("bpftrace", "exact-providers")
	site_titles["nop5"] = "a nop of five bytes"
	site_titles["push"] = "a push"
	site_titles["jcc"] = "a conditional jump"
	site_titles["call"] = "a direct call"
	site_titles["other"] = "any other, single-stepped"
	site_titles["query"] = "both sides of a query, recorded"
}
$1 == "run" {
	if (!($2 in seen)) {
		seen[$2] = 1
		names[++name_count] = $2
	}
	measured[$3] = 1
	add(key_of($2, $3, "wall"), $4)
	add(key_of($2, $3, "cpu"), $5)
}
$1 == "run" && NF > 5 {
	measured[$3, "attach"] = 1
	add(key_of($2, $3, "attach"), $6)
	add(key_of($2, $3, "detach"), $7)
	add(key_of($2, $3, "beside"), $8)
	add(key_of($2, $3, "collector"), $9)
	add(key_of($2, $3, "peak"), $10 / 1024)
	recorded[$2, $3] = $11
	others[$2, $3] = $12
	lost[$2, $3] += $13
	if ($3 == "exact-providers")
		queries[$2] = $11
}
$1 == "share" {
	measured[$3, "labels"] = 1
	add(key_of($2, $3, "labels"), $4)
	add(key_of($2, $3, "agreement"), $5)
}
$1 == "site" {
	if (!($2 in seen_sites)) {
		seen_sites[$2] = 1
		sites[++site_count] = $2
	}
	add(key_of("", $2, "site"), $3)
}
END {
	settle()
	if (form == "json")
		print_json()
	else if (form == "markdown")
		print_markdown()
	else
		print_text()
}

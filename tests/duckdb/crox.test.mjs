// SPDX-License-Identifier: MIT OR Apache-2.0
// DuckDB reads what crox writes, and its sums are those of summarize.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { goldenProfile, querytap, temp } from '../browser/lib.mjs';

const duckdb = await import('@duckdb/node-api').catch(() => undefined);
const skip = !duckdb && 'DuckDB is not installed: scripts/setup --browser';
const profiles = ['tiny-195', 'tiny-197-args', 'tiny-197-incremental', 'tiny-197-threads4'];

// Asks DuckDB about the trace of a profile, which is called `trace` in the question; rows as objects.
async function ask(profile, question) {
	const file = path.join(temp, `${path.basename(profile)}.json`);
	querytap('crox', profile, '-o', file);
	const instance = await duckdb.DuckDBInstance.create(':memory:');
	const connection = await instance.connect();
	try {
		await connection.run(`create view trace as select name, cat, dur from read_json('${file}')`);
		const reader = await connection.runAndReadAll(question);
		return reader.getRowObjectsJson();
	} finally {
		connection.closeSync();
		instance.closeSync();
	}
}

const nanoseconds = (duration) => duration.secs * 1e9 + duration.nanos;

// What summarize says of each label.
function summary(profile) {
	const rows = JSON.parse(querytap('summarize', '--json', profile)).query_data;
	return new Map(rows.map((row) => [row.label, row]));
}

for (const name of profiles) {
	test(`top 30 by total seconds: ${name}`, { skip }, async () => {
		const profile = goldenProfile(name);
		const labels = summary(profile);
		const top = await ask(profile, `
			select name, sum(dur) / 1e6 as seconds, count(*)::integer as count
			from trace where cat <> 'IncrementalResultHashing' and cat <> ''
			group by name order by seconds desc limit 30`);
		assert.equal(top.length, 30);
		for (const row of top) {
			// crox counts whole microseconds, so each event may lose up to one.
			const lost = nanoseconds(labels.get(row.name).time) / 1e9 - row.seconds;
			assert.ok(lost >= -1e-9 && lost <= row.count * 1e-6, `${row.name}: ${lost} s of ${row.seconds} s`);
		}
		const largest = [...labels.values()].sort((a, b) => nanoseconds(b.time) - nanoseconds(a.time))[0];
		assert.equal(top[0].name, largest.label);
	});

	test(`Query events by count and max: ${name}`, { skip }, async () => {
		const profile = goldenProfile(name);
		const labels = summary(profile);
		const queries = await ask(profile, `
			select name, count(*)::integer as count, max(dur)::integer as longest, sum(dur)::bigint as total
			from trace where cat = 'Query' group by name order by count desc, longest desc`);
		const others = new Set((await ask(profile, `
			select distinct name from trace where cat = 'GenericActivity'`)).map((row) => row.name));
		assert.ok(queries.length > 100);
		for (const row of queries) {
			if (!others.has(row.name))
				assert.equal(labels.get(row.name).number_of_cache_misses, row.count, row.name);
			assert.ok(row.longest <= Number(row.total) && Number(row.total) * 1000 <= nanoseconds(labels.get(row.name).time));
		}
	});
}

test('the crate and the start of each process', { skip }, async () => {
	const named = await ask(goldenProfile('tiny-195'), `
		select count(*)::integer as count from trace where cat = '' and name in ('process_name', 'process_sort_index')`);
	assert.ok(named[0].count >= 1);
});

// SPDX-License-Identifier: MIT OR Apache-2.0
// What export --format pprof writes: a parser reads it, and finds the samples that were recorded.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import test from 'node:test';
import { count, exportTo, makeRecording, noPprof, readPprof } from './lib.mjs';

const { folder, stacks } = makeRecording('recording');

// Gives the parts of a profile by their numbers: texts, and what a sample says.
function open(file) {
	const profile = readPprof(file);
	const text = (number) => profile.stringTable.strings[Number(number)];
	const functions = new Map(profile.function.map((one) => [Number(one.id), one]));
	const mappings = new Map(profile.mapping.map((one) => [Number(one.id), one]));
	const locations = new Map(profile.location.map((one) => [Number(one.id), one]));
	const labels = (sample) => Object.fromEntries(sample.label.map((label) =>
		[text(label.key), Number(label.str) ? text(label.str) : Number(label.num)]));
	const frames = (sample) => sample.locationId.map((id) =>
		text(functions.get(Number(locations.get(Number(id)).line[0].functionId)).name)).reverse();
	return { profile, text, functions, mappings, locations, labels, frames };
}

test('all samples are there, in their stacks and threads', { skip: noPprof }, () => {
	const { profile, labels, frames } = open(exportTo('all.pb.gz', '--format', 'pprof', folder));
	const found = new Map();
	for (const sample of profile.sample) {
		const { process, pid, thread } = labels(sample);
		const line = [`${process}-${pid}`, thread, ...frames(sample)].join('\t');
		assert.ok(!found.has(line), `${line} is there twice`);
		found.set(line, Number(sample.value[0]));
	}
	assert.deepEqual(new Map([...found].sort()), new Map([...count(stacks.map((stack) => stack.join('\t')))].sort()));
});

test('values, period and times', { skip: noPprof }, () => {
	const { profile, text } = open(exportTo('values.pb.gz', '--format', 'pprof', folder));
	const types = profile.sampleType.map((type) => `${text(type.type)}/${text(type.unit)}`);
	assert.deepEqual(types, ['samples/count', 'cpu/nanoseconds']);
	assert.equal(`${text(profile.periodType.type)}/${text(profile.periodType.unit)}`, 'cpu/nanoseconds');
	assert.equal(Number(profile.period), 1000000);
	assert.equal(BigInt(profile.timeNanos), 1700000000123456789n);
	assert.equal(Number(profile.durationNanos), 2500000000);
	for (const sample of profile.sample)
		assert.equal(Number(sample.value[1]), 1000000 * Number(sample.value[0]));
	assert.ok(profile.comment.map(text).includes('3 samples were lost'));
	assert.equal(text(0), '');
});

test('labels: ids, the innermost query, the kernel', { skip: noPprof }, () => {
	const { profile, labels, frames } = open(exportTo('labels.pb.gz', '--format', 'pprof', folder));
	let queries = 0;
	for (const sample of profile.sample) {
		const said = labels(sample), stack = frames(sample);
		const innermost = stack.findLast((frame) => ['[typeck]', '[mir_borrowck (load)]'].includes(frame));
		assert.equal(said.query, innermost?.slice(1, -1));
		assert.equal(said.kernel, stack.at(-1) === '[kernel]' ? 'true' : undefined);
		assert.ok([100, 101, 7].includes(said.tid));
		queries += Boolean(innermost);
	}
	assert.ok(queries > 100 && queries < profile.sample.length);
});

test('every number leads somewhere, and functions lie in their objects', { skip: noPprof }, () => {
	const { profile, text, functions, mappings, locations } = open(exportTo('numbers.pb.gz', '--format', 'pprof', folder));
	for (const ids of [functions, mappings, locations])
		assert.ok(!ids.has(0));
	assert.equal(functions.size, profile.function.length);
	assert.equal(locations.size, profile.location.length);
	const objects = {};
	for (const location of profile.location) {
		const name = text(functions.get(Number(location.line[0].functionId)).name);
		objects[name] = Number(location.mappingId) ? text(mappings.get(Number(location.mappingId)).filename) : '';
	}
	assert.equal(objects['rustc_hir_typeck::typeck'], 'librustc_driver-1.so');
	assert.equal(objects['llvm::PassManager::run'], 'libLLVM.so.22');
	for (const name of ['[typeck]', '[codegen_crate]', '[kernel]', '[incomplete]', '[no file]'])
		assert.equal(objects[name], '');
	assert.equal(text(profile.mapping[0].filename), 'librustc_driver-1.so');
});

test('the folder and its file of samples give the same', () => {
	const one = fs.readFileSync(exportTo('folder.pb.gz', '--format', 'pprof', folder));
	assert.deepEqual(fs.readFileSync(exportTo('file.pb.gz', '--format', 'pprof', `${folder}/samples.qts`)), one);
});

const noGo = spawnSync('go', ['version']).status !== 0 && 'there is no go';

test('go tool pprof reads it and says nothing against it', { skip: noGo }, () => {
	const file = exportTo('go.pb.gz', '--format', 'pprof', folder);
	const { status, stdout, stderr } = spawnSync('go', ['tool', 'pprof', '-sample_index=samples', '-top', '-nodefraction=0', file],
		{ encoding: 'utf8' });
	assert.equal(status, 0);
	assert.equal(stderr, '');
	assert.match(stdout, /Total samples = 5000/);
	// Names are whole, with what is in angle brackets.
	assert.match(stdout, /<rustc_middle::ty::Ty as Fold<'tcx>>::fold::<&\[u8; 4\]>/);
	const total = (name) => stacks.filter((stack) => stack.slice(2).includes(name)).length;
	for (const name of ['[typeck]', '[kernel]', '[incomplete]']) {
		const line = stdout.split('\n').find((one) => one.endsWith(`  ${name}`));
		assert.equal(Number(line.trim().split(/ +/)[3]), total(name), name);
	}
});

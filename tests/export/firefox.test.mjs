// SPDX-License-Identifier: MIT OR Apache-2.0
// What export --format firefox writes: its tables hold together, the Firefox Profiler reads it, and what it finds is what
// was recorded.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { askProfiler, count, exportTo, makeRecording, noProfiler, readJson, withProfiler } from './lib.mjs';

const { folder, stacks } = makeRecording('recording');

// Of each column as many rows as the table says, and no column that is something else.
function checkTable(name, table) {
	for (const [column, cells] of Object.entries(table)) {
		if (Array.isArray(cells))
			assert.equal(cells.length, table.length, `${name}.${column}`);
	}
}

function checkRange(name, column, length, none) {
	for (const cell of column)
		assert.ok(cell === none || (Number.isInteger(cell) && cell >= 0 && cell < length), `${name}: ${cell} of ${length}`);
}

function checkRising(name, times) {
	for (let i = 1; i < times.length; i++)
		assert.ok(times[i] >= times[i - 1], `${name}: ${times[i]} behind ${times[i - 1]}`);
}

// What the profiler's loader takes for granted.
function checkProfile(profile) {
	const { meta, shared, threads } = profile;
	const { stackTable, frameTable, funcTable, resourceTable, stringArray } = shared;
	for (const name of ['stackTable', 'frameTable', 'funcTable', 'resourceTable', 'nativeSymbols', 'sources'])
		checkTable(name, shared[name]);
	checkRange('stackTable.frame', stackTable.frame, frameTable.length);
	stackTable.prefix.forEach((prefix, stack) => assert.ok(prefix === null || (prefix >= 0 && prefix < stack)));
	checkRange('frameTable.func', frameTable.func, funcTable.length);
	checkRange('frameTable.category', frameTable.category, meta.categories.length);
	checkRange('funcTable.name', funcTable.name, stringArray.length);
	checkRange('funcTable.resource', funcTable.resource, resourceTable.length, -1);
	checkRange('resourceTable.name', resourceTable.name, stringArray.length);
	assert.ok(meta.categories.some((category) => category.color === 'grey'));
	assert.equal(new Set(stringArray).size, stringArray.length);
	assert.equal(new Set(threads.map((thread) => `${thread.pid} ${thread.tid}`)).size, threads.length);
	const schemas = new Set(meta.markerSchema.map((schema) => schema.name));
	for (const thread of threads) {
		checkTable('samples', thread.samples);
		checkTable('markers', thread.markers);
		checkRange('samples.stack', thread.samples.stack, stackTable.length, null);
		checkRising('samples.time', thread.samples.time);
		checkRange('markers.name', thread.markers.name, stringArray.length);
		checkRange('markers.category', thread.markers.category, meta.categories.length);
		checkRising('markers.startTime', thread.markers.startTime);
		thread.markers.endTime.forEach((end, i) => assert.ok(end >= thread.markers.startTime[i]));
		for (const data of thread.markers.data) {
			assert.ok(schemas.has(data.type));
			checkRange('markers.data', [data.kind, data.arguments ?? 0], stringArray.length);
		}
	}
}

// A sample's frames, from the outermost on.
function frames({ stackTable, frameTable, funcTable, stringArray }, stack) {
	const names = [];
	for (; stack !== null; stack = stackTable.prefix[stack])
		names.push(stringArray[funcTable.name[frameTable.func[stackTable.frame[stack]]]]);
	return names.reverse();
}

const open = (name, ...args) => readJson(exportTo(name, '--format', 'firefox', ...args, folder));

test('tables hold together', () => {
	checkProfile(open('tables.json.gz', '--minimum-duration', '0'));
});

test('all samples are there, in their stacks, threads and order', () => {
	const profile = open('all.json');
	const found = [];
	for (const thread of profile.threads) {
		const of = thread.samples.stack.map((stack, i) =>
			({ time: thread.samples.time[i], line: [thread.pid, thread.tid, ...frames(profile.shared, stack)].join('\t') }));
		found.push(...of);
	}
	found.sort((a, b) => a.time - b.time);
	// A thread that became the compiler is one thread; of the other one of its process the id is the fixture's.
	const tids = { 'opt cgu.0': 101 };
	const expected = stacks.map(([process, thread, ...stack], i) => {
		const pid = process.split('-').pop();
		return { time: i / 2, line: [pid, tids[thread] ?? pid, ...stack].join('\t') };
	});
	assert.deepEqual(found, expected);
});

test('no stack is there that no sample has', () => {
	const { shared, threads } = open('stacks.json');
	const used = new Set();
	for (const thread of threads) {
		for (let stack of thread.samples.stack) {
			for (; stack !== null && !used.has(stack); stack = shared.stackTable.prefix[stack])
				used.add(stack);
		}
	}
	assert.equal(used.size, shared.stackTable.length);
});

test('processes, threads and what they are called', () => {
	const { threads, meta } = open('threads.json');
	const said = threads.map(({ pid, tid, name, processName, isMainThread }) => ({ pid, tid, name, processName, isMainThread }));
	assert.deepEqual(said.sort((a, b) => a.tid - b.tid), [
		{ pid: '7', tid: 7, name: 'cargo', processName: 'cargo', isMainThread: true },
		{ pid: '100', tid: 100, name: 'rustc', processName: 'rustc tiny', isMainThread: true },
		{ pid: '100', tid: 101, name: 'opt cgu.0', processName: 'rustc tiny', isMainThread: false },
		{ pid: '100', tid: 102, name: 'rustc', processName: 'rustc tiny', isMainThread: false },
	]);
	assert.equal(meta.interval, 1);
	assert.equal(meta.startTime, 1700000000123.4568);
});

test('categories', () => {
	const { shared: { frameTable, funcTable, stringArray }, meta } = open('categories.json');
	const category = Object.fromEntries(funcTable.name.map((name, i) =>
		[stringArray[name], meta.categories[frameTable.category[i]].name]));
	assert.equal(category['[typeck]'], 'Query');
	assert.equal(category['[codegen_crate]'], 'Activity');
	assert.equal(category['rustc_hir_typeck::typeck'], 'Rust compiler');
	assert.equal(category['llvm::PassManager::run'], 'LLVM');
	assert.equal(category['[kernel]'], 'Kernel');
	assert.equal(category['[libc.so.6]'], 'Other');
});

// A thread runs for what its samples stand for, not for all of the time between them.
test('the time that threads ran', () => {
	for (const { samples } of open('ran.json').threads) {
		samples.threadCPUDelta.forEach((ran, i) => {
			const past = i ? samples.time[i] - samples.time[i - 1] : 0;
			assert.equal(ran, Math.round(Math.min(past, 1) * 1e6));
		});
	}
});

function markers(profile) {
	const { stringArray } = profile.shared;
	return profile.threads.flatMap(({ tid, markers: { name, data, startTime, endTime, category } }) =>
		name.map((label, i) => [tid, data[i].type, stringArray[data[i].kind], stringArray[label],
			stringArray[data[i].arguments], startTime[i], endTime[i], profile.meta.categories[category[i]].name]))
		.sort((a, b) => a[0] - b[0] || a[5] - b[5]);
}

const long = [
	[100, 'Activity', 'GenericActivity', 'codegen_crate', undefined, 0.9, 9, 'Activity'],
	[100, 'Query', 'Query', 'typeck', 'tiny::f', 1, 1.4, 'Query'],
	[100, 'Activity', 'IncrementalLoadResult', 'typeck', undefined, 1.5, 1.7, 'Activity'],
	[102, 'Activity', 'GenericActivity', 'LLVM_passes', undefined, 3, 3.1, 'Activity'],
];

test('queries are markers, from 100 us on', () => {
	assert.deepEqual(markers(open('markers.json')), long);
});

test('--minimum-duration 0: all of them', () => {
	const all = [...long, [100, 'Query', 'Query', 'mir_borrowck', undefined, 1.1, 1.15, 'Query'],
		[101, 'Query', 'Query', 'short', undefined, 2, 2.001, 'Query']].sort((a, b) => a[0] - b[0] || a[5] - b[5]);
	assert.deepEqual(markers(open('all-markers.json', '--minimum-duration', '0')), all);
});

test('a folder without profiles has no markers, and a file of samples those beside it', () => {
	const alone = path.join(path.dirname(folder), 'alone');
	fs.mkdirSync(alone);
	fs.copyFileSync(`${folder}/samples.qts`, `${alone}/samples.qts`);
	const none = readJson(exportTo('none.json', '--format', 'firefox', alone));
	checkProfile(none);
	assert.deepEqual(markers(none), []);
	assert.deepEqual(markers(readJson(exportTo('beside.json', '--format', 'firefox', `${folder}/samples.qts`))), long);
});

test('compressed if the name says so', () => {
	assert.deepEqual(open('packed.json.gz'), open('plain.json'));
	assert.equal(fs.readFileSync(exportTo('plain.json', '--format', 'firefox', folder))[0], '{'.charCodeAt(0));
	assert.equal(fs.readFileSync(exportTo('packed.json.gz', '--format', 'firefox', folder)).readUInt16BE(), 0x1f8b);
});

test('the Firefox Profiler reads it', { skip: noProfiler }, () => {
	withProfiler(exportTo('read.json.gz', '--format', 'firefox', '--minimum-duration', '0', folder), () => {
		const info = askProfiler('profile', 'info', '--all', '--json');
		assert.equal(info.threadCount, 4);
		assert.deepEqual(new Set(info.processes.map((process) => `${process.pid} ${process.name}`)),
			new Set(['100 rustc tiny', '7 cargo']));
		const threads = info.processes.flatMap((process) => process.threads);
		const main = threads.find((thread) => thread.tid === 100).threadHandle;
		const samples = askProfiler('thread', 'samples', '--thread', main, '--include-idle', '--json');
		const own = stacks.filter(([process, thread]) => process.endsWith('-100') && thread !== 'opt cgu.0');
		const withStack = own.filter((stack) => stack.length > 2);
		const innermost = count(withStack.map((stack) => stack.at(-1)));
		const categories = Object.fromEntries(samples.categoryBreakdown.categories.map(({ name, samples: number }) => [name, number]));
		assert.equal(categories.Kernel, innermost.get('[kernel]'));
		assert.equal(categories.Activity, innermost.get('[codegen_crate]'));
		assert.equal(categories.Query, innermost.get('[typeck]') + innermost.get('[mir_borrowck (load)]'));
		assert.equal(categories.LLVM, innermost.get('llvm::PassManager::run'));
		const marked = askProfiler('thread', 'markers', '--thread', main, '--json');
		assert.equal(marked.totalMarkerCount, 4);
		const typeck = marked.byType.find(({ markerName }) => markerName === 'typeck');
		assert.equal(typeck.count, 2);
		assert.ok(Math.abs(typeck.durationStats.max - 0.4) < 1e-6);
	});
});

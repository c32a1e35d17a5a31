// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tests of exports share: a recording, and the programs that read what is made of it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { querytap, root, temp } from '../browser/lib.mjs';

export { noPprof, readJson, readPprof } from './read.mjs';

const profiler = path.join(root, 'tests/export/node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js');
const environment = { ...process.env, PROFILER_CLI_SESSION_DIR: path.join(temp, 'sessions'), PROFILER_CLI_NO_SYMBOLICATE: '1' };

// Asks the Firefox Profiler, as its command line has it; with `--json` the answer is an object.
export function askProfiler(...args) {
	const answer = execFileSync(process.execPath, [profiler, ...args], { env: environment, encoding: 'utf8', maxBuffer: 1 << 28 });
	return args.includes('--json') ? JSON.parse(answer) : answer;
}

// It asks for a Node.js that is newer than it needs; whether it runs shows when it does.
function whyNoProfiler() {
	if (!fs.existsSync(profiler))
		return '@firefox-devtools/profiler-cli is not installed: scripts/setup --browser';
	try {
		askProfiler('--version');
		return false;
	} catch {
		return `@firefox-devtools/profiler-cli does not run in Node.js ${process.version}`;
	}
}
export const noProfiler = whyNoProfiler();

// Opens a profile in it, gives the rest to `use`, and ends it.
export function withProfiler(file, use) {
	try {
		askProfiler('load', file);
		return use();
	} finally {
		askProfiler('stop', '--all');
	}
}

// A recording that is always the same, and its samples' stacks: process with id, thread, frames from the outermost on.
export function makeRecording(name) {
	const folder = path.join(temp, name);
	fs.mkdirSync(folder);
	const printed = execFileSync(path.join(root, 'build/fixtures/make-recording'), [folder], { encoding: 'utf8', maxBuffer: 1 << 28 });
	return { folder, stacks: printed.trimEnd().split('\n').map((line) => line.split('\t')) };
}

// How often each of the texts is there.
export function count(texts) {
	const counts = new Map();
	for (const text of texts)
		counts.set(text, (counts.get(text) ?? 0) + 1);
	return counts;
}

// Exports to a file of the test's folder and returns its path.
export function exportTo(name, ...args) {
	const file = path.join(temp, name);
	querytap('export', ...args, '-o', file);
	return file;
}

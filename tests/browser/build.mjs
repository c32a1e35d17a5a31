// SPDX-License-Identifier: MIT OR Apache-2.0
// Folders of profiles for the tests of compare and report, made of those in tests/golden/.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { goldenProfile, querytap, temp } from './lib.mjs';

// A label of the golden profiles, and another of its length that would like to be HTML.
export const plain_label = 'resolver_for_lowering_raw';
export const hostile_label = '<img src=x onerror=boo()>';
assert.equal(plain_label.length, hostile_label.length);

function replace(bytes, pattern, replacement) {
	const text = bytes.toString('latin1');
	const found = pattern.exec(text);
	assert.ok(found, `${pattern} is in the profile`);
	const result = replacement(found);
	assert.equal(result.length, found[0].length);
	return Buffer.from(text.slice(0, found.index) + result + text.slice(found.index + found[0].length), 'latin1');
}

/*
 * Makes a folder. `profiles` are [crate, process id of 5 digits, golden profile, milliseconds after the first one's start, whether
 * plain_label becomes hostile_label]. Returns its path.
 */
export function makeFolder(name, profiles) {
	const folder = path.join(temp, name);
	fs.mkdirSync(folder);
	for (const [crate, process_id, golden, start_ms = 0, hostile = false] of profiles) {
		let bytes = fs.readFileSync(goldenProfile(golden));
		bytes = replace(bytes, /"start_time": (\d{19})/, () => `"start_time": ${1795227779000000000n + BigInt(start_ms) * 1000000n}`);
		bytes = replace(bytes, /"process_id": \d{5},/, () => `"process_id": ${process_id},`);
		if (hostile) bytes = replace(bytes, new RegExp(plain_label), () => hostile_label);
		const file = `${crate}-${String(process_id).padStart(7, '0')}.mm_profdata`;
		fs.writeFileSync(path.join(folder, file), bytes);
	}
	return folder;
}

// Writes a profile without events into a folder that is there.
export function addEmptyProfile(folder, crate, process_id) {
	const metadata = `{ "start_time": 1795227779000000000, "process_id": ${process_id}, "cmd": "rustc " }`;
	const number = (value, size) => {
		const bytes = Buffer.alloc(size);
		bytes.writeUInt32LE(value);
		return bytes;
	};
	const stream = (tag, name, ...contents) => {
		const bytes = Buffer.concat([Buffer.from(name), number(9, 4), ...contents]);
		return Buffer.concat([Buffer.from([tag]), number(bytes.length, 4), bytes]);
	};
	const file = Buffer.concat([
		Buffer.from('MMPD'),
		number(9, 4),
		stream(0, 'MMES'),
		stream(1, 'MMSD', Buffer.from(metadata), Buffer.from([0xff])),
		stream(2, 'MMSI', number(100000001, 8), number(8, 8)),
	]);
	fs.writeFileSync(path.join(folder, `${crate}-${process_id}.mm_profdata`), file);
}

// What `querytap summarize --json` says of a profile: rows by label, times in nanoseconds.
export function summarize(folder, file) {
	const { query_data } = JSON.parse(querytap('summarize', '--json', path.join(folder, file)));
	const ns = ({ secs, nanos }) => secs * 1e9 + nanos;
	return new Map(
		query_data.map((row) => [row.label, { self: ns(row.self_time), time: ns(row.time), count: row.invocation_count }]),
	);
}

// A table's rows as texts, by its name.
export const readTable = (page, name) =>
	page.$$eval(`table[aria-label=${JSON.stringify(name)}] tbody tr`, (lines) =>
		lines.map((line) => [...line.children].map((cell) => cell.textContent)),
	);

export const milliseconds = (ns, decimals) =>
	(ns / 1e6).toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

// Contrast of the texts on show against what is behind them, by the rule of WCAG 2: those below 4.5 to 1.
export const paleTexts = (page) =>
	page.evaluate(() => {
		const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
		const known = new Map();
		const rgba = (color) => {
			if (known.has(color)) return known.get(color);
			canvas.clearRect(0, 0, 1, 1);
			canvas.fillStyle = color;
			canvas.fillRect(0, 0, 1, 1);
			known.set(color, [...canvas.getImageData(0, 0, 1, 1).data]);
			return known.get(color);
		};
		const luminance = ([r, g, b]) => {
			const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
			return 0.2126 * x + 0.7152 * y + 0.0722 * z;
		};
		const behind = (node) => {
			for (; node; node = node.parentElement) {
				const color = rgba(getComputedStyle(node).backgroundColor);
				if (color[3] === 255) return color;
			}
			return [255, 255, 255];
		};
		const pale = new Set();
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			const node = walker.currentNode.parentElement;
			if (!walker.currentNode.textContent.trim() || !node.checkVisibility() || node.closest('script, noscript')) continue;
			const [a, b] = [luminance(rgba(getComputedStyle(node).color)), luminance(behind(node))].sort((x, y) => y - x);
			if ((a + 0.05) / (b + 0.05) < 4.5) pale.add(`${node.tagName}.${node.className}: ${walker.currentNode.textContent}`);
		}
		return [...pale];
	});

// Every button, field and region that scrolls can be reached and has a name; ids are there once.
export async function expectAccessible(page) {
	const nameless = await page.$$eval('button, input, [role=region], table, svg[role=img]', (nodes) =>
		nodes.filter((node) => !(node.getAttribute('aria-label') || node.textContent || node.labels?.length)).map((node) => node.outerHTML),
	);
	assert.deepEqual(nameless, []);
	const ids = await page.$$eval('[id]', (nodes) => nodes.map((node) => node.id));
	assert.equal(new Set(ids).size, ids.length);
	assert.deepEqual(await paleTexts(page), []);
	// Nothing sticks out of the page sideways.
	assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
// The page of querytap report: its figures are those of summarize, and it leads from the build to a crate's trace.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { addEmptyProfile, expectAccessible, hostile_label, makeFolder, milliseconds, readTable, summarize } from './build.mjs';
import { isDark, noBrowser, querytap, screenshot, temp, tryQuerytap, withPage } from './lib.mjs';

const skip = noBrowser;
const folder = makeFolder('build', [
	['first', 10031, 'tiny-197-args', 0],
	['second', 10032, 'tiny-195', 20, true],
	['third', 10033, 'tiny-197-cache-hits', 3000],
	['fourth', 10034, 'tiny-197-threads4', 3010],
	['again', 10035, 'tiny-195', 6000],
	['again', 10036, 'tiny-195', 6010],
]);
const file = path.join(temp, 'report.html');
querytap('report', folder, '-o', file);
const json = JSON.parse(querytap('report', folder, '--json'));
const files = fs.readdirSync(folder);
const summaries = new Map(files.map((name) => [name.replace(/-.*/, ''), summarize(folder, name)]));
const value = (text) => Number(text.replace(/[^0-9.]/g, ''));

const bars = (page) =>
	page.$$eval('.bar', (nodes) =>
		nodes.map((node) => {
			const { left, right, top, width } = node.getBoundingClientRect();
			return { name: node.title.replace(/:.*/, ''), left, right, top, width, chain: node.classList.contains('chain') };
		}),
	);

test('report: the timeline shows what ran beside what', { skip }, async () => {
	await withPage(file, {}, async (page) => {
		const list = await bars(page);
		const bar = (name) => list.find((one) => one.name === name);
		assert.deepEqual(list.map((one) => one.name), ['first', 'second', 'third', 'fourth', 'again (10035)', 'again (10036)']);
		// Those of one lane do not overlap; those that ran beside each other are in different lanes.
		for (const a of list) {
			for (const b of list) {
				if (a !== b && a.top === b.top) assert.ok(a.right <= b.left + 2.5 || b.right <= a.left + 2.5);
			}
		}
		assert.notEqual(bar('first').top, bar('second').top);
		assert.equal(bar('first').top, bar('third').top);
		const [first, third] = ['first', 'third'].map((name) => json.processes.find((one) => one.crate === name));
		const scale = (bar('third').left - bar('first').left) / (third.start_ns - first.start_ns);
		for (const one of json.processes.filter((process) => process.crate !== 'again'))
			assert.ok(Math.abs(bar(one.crate).left - bar('first').left - one.start_ns * scale) < 1.5, one.crate);
		assert.deepEqual(list.filter((one) => one.chain).length, json.chain.length);
		assert.match(await page.getAttribute('svg.running', 'aria-label'), new RegExp(`at most ${json.lanes}`));

		const before = bar('first').width;
		await page.click('text=Zoom in');
		await page.click('text=Zoom in');
		assert.ok((await bars(page))[0].width > before * 3.5);
		await page.click('text=Whole build');
		assert.ok(Math.abs((await bars(page))[0].width - before) < 1);
		await expectAccessible(page);
	});
});

test('report: compilers, chain and totals hold the figures of summarize', { skip }, async () => {
	await withPage(file, {}, async (page) => {
		const compilers = await readTable(page, 'Compilers');
		assert.equal(compilers.length, 6);
		for (const name of ['first', 'second', 'third', 'fourth']) {
			const row = compilers.find((one) => one[0] === name);
			let self = 0;
			let count = 0;
			for (const one of summaries.get(name).values()) {
				self += one.self;
				count += one.count;
			}
			assert.equal(row[4], milliseconds(self, 2));
			assert.equal(value(row[5]), count);
			assert.ok(row[7].startsWith([...summaries.get(name).keys()][0]));
		}
		const chain = await readTable(page, 'Longest chain');
		assert.deepEqual(chain.map((row) => row[0].replace(/ .*/, '')), json.chain.map((index) => json.processes[index].crate));
		assert.match(await page.textContent('#chain'), /inferred from times/);

		const all = new Map();
		for (const name of files) {
			for (const [label, row] of summarize(folder, name)) {
				const sum = all.get(label) ?? { self: 0, time: 0, count: 0, in: 0 };
				all.set(label, { self: sum.self + row.self, time: sum.time + row.time, count: sum.count + row.count, in: sum.in + 1 });
			}
		}
		if (all.size > 300) await page.click(`#totals .more`);
		const totals = await readTable(page, 'Totals by label');
		assert.equal(totals.length, all.size);
		for (const row of totals) {
			const sum = all.get(row[0]);
			assert.ok(Math.abs(value(row[1]) - sum.self / 1e6) < 0.0051, row[0]);
			assert.ok(Math.abs(value(row[3]) - sum.time / 1e6) < 0.0051, row[0]);
			assert.equal(value(row[4]), sum.count);
			assert.equal(value(row.at(-1)), sum.in);
		}
		await page.fill('#totals input[type=search]', 'typeck');
		const filtered = await readTable(page, 'Totals by label');
		assert.ok(filtered.length > 0 && filtered.every((row) => row[0].includes('typeck')));
		await page.click('#totals th button:has-text("Count")');
		const counts = (await readTable(page, 'Totals by label')).map((row) => value(row[4]));
		assert.deepEqual(counts, [...counts].sort((a, b) => b - a));
		await page.fill('#crates input[type=search]', 'third');
		assert.deepEqual((await readTable(page, 'Compilers')).map((row) => row[0]), ['third']);
	});
});

const boxes = (page) =>
	page.$$eval('.flame .box', (nodes) =>
		nodes.map((node) => ({ text: node.getAttribute('aria-label'), level: +node.getAttribute('aria-level'), width: node.getBoundingClientRect().width })),
	);

test('report: a click leads to a crate, its queries and its trace', { skip }, async () => {
	await withPage(file, {}, async (page) => {
		await page.click('.bar[title^="first:"]');
		assert.equal(await page.textContent('#crate-title'), 'first');
		assert.match(await page.textContent('#crate'), /Beside it ran second\./);
		const top = await readTable(page, 'Top queries of first');
		const summary = [...summaries.get('first')];
		assert.equal(top.length, 20);
		top.forEach((row, index) => {
			assert.equal(row[0], summary[index][0]);
			assert.ok(Math.abs(value(row[1]) - summary[index][1].self / 1e6) < 0.0051);
			assert.equal(value(row[4]), summary[index][1].count);
		});

		// Boxes are as wide as their share of the whole, which they say.
		const whole = await boxes(page);
		assert.ok(whole.length > 20);
		const width = whole[0].width;
		for (const box of whole) {
			const share = Number(/\(([\d.]+) %/.exec(box.text)[1]);
			assert.ok(Math.abs(box.width - (share / 100) * width) < 1.5, box.text);
		}
		const wide = whole.filter((box) => box.level === 2)[0];
		await page.click(`.flame .box[aria-level="2"] >> nth=0`);
		const zoomed = await boxes(page);
		assert.ok(Math.abs(zoomed.find((box) => box.text === wide.text).width - width) < 1);
		assert.equal(await page.textContent('.flame-status'), wide.text);
		await page.click('text=Whole crate');
		assert.deepEqual((await boxes(page)).map((box) => box.text), whole.map((box) => box.text));
		await page.fill('#crate input[type=search]', 'typeck');
		assert.ok((await page.$$('.flame .found')).length > 0);
		await expectAccessible(page);

		await page.click('#crates button:has-text("fourth")');
		assert.equal(await page.textContent('#crate-title'), 'fourth');
		assert.equal((await page.$$('.flame')).length, 1);
		await page.click('text=Close');
		assert.equal(await page.isVisible('#crate'), false);
	});
});

test('report: works by keyboard', { skip }, async () => {
	await withPage(file, {}, async (page) => {
		const focused = () => page.evaluate(() => document.activeElement.title || document.activeElement.getAttribute('aria-label'));
		await page.focus('.bar');
		await page.keyboard.press('ArrowRight');
		assert.match(await focused(), /^second:/);
		await page.keyboard.press('ArrowUp');
		assert.match(await focused(), /^first:/);
		await page.keyboard.press('End');
		assert.match(await focused(), /^again \(10036\):/);
		await page.keyboard.press('Home');
		await page.keyboard.press('Enter');
		assert.equal(await page.textContent('#crate-title'), 'first');
		assert.equal(await page.evaluate(() => document.activeElement.id), 'crate-title');
		await page.focus('.flame .box[tabindex="0"]');
		await page.keyboard.press('ArrowDown');
		const child = await focused();
		assert.equal(await page.textContent('.flame-status'), child);
		await page.keyboard.press('Enter');
		assert.equal(await page.evaluate(() => document.activeElement.clientWidth), await page.evaluate(() => document.querySelector('.boxes').clientWidth));
		await page.keyboard.press('ArrowDown');
		assert.notEqual(await focused(), child);
		await page.keyboard.press('Escape');
		assert.match(await focused(), /^All of first/);
	});
});

test('report: an address leads to a crate; labels stay texts', { skip }, async () => {
	await withPage(file, { hash: '#process-1' }, async (page) => {
		assert.equal(await page.isVisible('#crate'), false);
	});
	await withPage(file, { hash: '#process-10032' }, async (page) => {
		assert.equal(await page.textContent('#crate-title'), 'second');
		await page.fill('#totals input[type=search]', '<img');
		assert.deepEqual((await readTable(page, 'Totals by label')).map((row) => row[0]), [hostile_label]);
		assert.equal((await page.$$('img')).length, 0);
	});
});

test('report: compilers without events', { skip }, async () => {
	const nothing = path.join(temp, 'nothing');
	fs.mkdirSync(nothing);
	for (const [crate, process_id] of [['one', 51], ['two', 52]]) addEmptyProfile(nothing, crate, process_id);
	querytap('report', nothing, '-o', path.join(temp, 'nothing.html'));
	await withPage(path.join(temp, 'nothing.html'), {}, async (page) => {
		assert.equal((await bars(page)).length, 2);
		await page.click('#crates button:has-text("two")');
		assert.equal((await boxes(page)).length, 1);
		assert.deepEqual(await readTable(page, 'Top queries of two'), [['Nothing to show.']]);
		await expectAccessible(page);
	});
});

// A build.json beside those profiles: cargo runs all the while, and second's linker and a build script that fails.
const whole_folder = makeFolder('whole', [
	['first', 10031, 'tiny-197-args', 200],
	['second', 10032, 'tiny-195', 220],
	['third', 10033, 'tiny-197-cache-hits', 3000],
]);
const whole_start = 1795227779000000000n;
const ms = 1000000;
const whole = {
	format: 1, querytap: '0', start_realtime_ns: String(whole_start), stopped_ns: 6000 * ms, complete: false, lost: 3,
	processes: [
		[10030, null, 0, 5000, ['cargo', 'build']],
		[10031, 0, 200, 900, ['rustc', 'first.rs'], 'first-0010031.mm_profdata'],
		[10032, 0, 220, 2900, ['rustc', 'second.rs'], 'second-0010032.mm_profdata'],
		[10040, 2, 2000, 2800, ['/usr/bin/cc', '-o', '<b>hostile</b>']],
		[10041, 3, 2100, 2700, ['ld', '-o', 'x']],
		[10042, 0, 2900, 2950, ['/t/build/pack-0123456789ab/build-script-build'], undefined, { exit_code: 101 }],
		[10033, 0, 3000, 4000, ['rustc'], 'third-0010033.mm_profdata'],
		[10043, 0, 4100, null, ['sccache'], undefined, { complete: false, exit_code: null, user_ns: null, system_ns: null, peak_bytes: null }],
	].map(([pid, parent, start, end, command, profile, rest]) => ({
		pid, parent, joined: false, complete: true, start_ns: start * ms, end_ns: end && end * ms, exit_code: 0, signal: null,
		user_ns: 12 * ms, system_ns: 3 * ms, peak_bytes: 2 ** 21, comm: 'x', programs: [{ command, profile }], ...rest,
	})),
};
fs.writeFileSync(path.join(whole_folder, 'build.json'), JSON.stringify(whole));
const whole_file = path.join(temp, 'whole.html');
querytap('report', whole_folder, '-o', whole_file);

test('report: with build.json, the timeline shows all processes', { skip }, async () => {
	await withPage(whole_file, {}, async (page) => {
		const list = await bars(page);
		assert.deepEqual(list.map((one) => one.name), [
			'cargo (10030)', 'first', 'second', 'cc (10040)', 'ld (10041)', 'pack’s build script (10042)', 'third', 'sccache (10043)',
		]);
		const bar = (name) => list.find((one) => one.name.startsWith(name));
		// Below the parent, and within its time.
		const linker = bar('cc');
		assert.ok(linker.top > bar('second').top && bar('second').top > bar('cargo').top);
		assert.equal(linker.top - bar('second').top, bar('ld').top - linker.top);
		assert.ok(linker.left >= bar('second').left && linker.right <= bar('second').right);
		assert.equal(bar('third').top, bar('first').top);
		const width = bar('cargo').width / 5;
		assert.ok(Math.abs(linker.left - bar('cargo').left - 2 * width) < 2);
		assert.ok(Math.abs(linker.width - 0.8 * width) < 2);
		assert.match(await page.getAttribute('.bar.linker', 'title'), /exit status 0, CPU time 15\.0 ms, peak memory 2\.0 MiB/);
		assert.match(await page.getAttribute('.bar.build-script', 'title'), /exit status 101/);
		assert.match(await page.getAttribute('.bar.other', 'title'), /still ran when the recording stopped$/);
		assert.match(await page.textContent('#notes'), /3 records about processes found no room/);

		await page.click('.bar.linker >> nth=0');
		assert.equal(await page.textContent('#crate-title'), 'cc (10040)');
		assert.match(await page.textContent('#crate'), /Exit status 0, CPU time 15\.0 ms, peak memory 2\.0 MiB\./);
		assert.match(await page.textContent('#crate .path'), /<b>hostile<\/b>/);
		assert.deepEqual((await readTable(page, 'Started by cc (10040)')).map((row) => row[0]), ['ld (10041)']);
		await expectAccessible(page);
		await page.click('.started-by button');
		assert.equal(await page.textContent('#crate-title'), 'second');
		assert.ok((await page.$$('.flame .box')).length > 20);
		assert.match(await page.textContent('#crate'), /Exit status 0, CPU time/);
		await page.click('#crates button:has-text("third")');
		assert.equal(await page.textContent('#crate-title'), 'third');
		await page.click('text=Close');
		assert.match(await page.evaluate(() => document.activeElement.title), /^third:/);
		await page.keyboard.press('Home');
		assert.match(await page.evaluate(() => document.activeElement.title), /^cargo/);
	});
	await withPage(whole_file, { hash: '#process-10041', dark: true, width: 375 }, async (page) => {
		assert.equal(await page.textContent('#crate-title'), 'ld (10041)');
		await expectAccessible(page);
		await screenshot(page, 'report-whole-narrow-dark');
	});
});

test('report: a build.json that cannot be used is ignored with a warning', () => {
	const damaged = makeFolder('damaged', [['first', 10031, 'tiny-197-args', 0]]);
	const without = querytap('report', damaged, '--json');
	const trace = querytap('crox', '--dir', damaged, '-o', '-');
	for (const text of ['{', '{}', '{"format": 2}', JSON.stringify({ ...whole, processes: [{}] })]) {
		fs.writeFileSync(path.join(damaged, 'build.json'), text);
		for (const [args, expected] of [[['report', damaged, '--json'], without], [['crox', '--dir', damaged, '-o', '-'], trace]]) {
			const { status, stdout, stderr } = tryQuerytap(...args);
			assert.equal(status, 0);
			assert.equal(stdout, expected);
			assert.match(stderr, /^querytap: \S*damaged\/build\.json .*; it is ignored\n$/);
		}
	}
});

test('crox --dir: with build.json, processes have rows of their own', () => {
	const trace = JSON.parse(querytap('crox', '--dir', whole_folder, '-o', '-'));
	const events = trace.filter((event) => event.cat === 'Process');
	assert.deepEqual(events.map((event) => event.name), ['cargo', 'cc', 'ld', 'pack’s build script', 'sccache']);
	const linker = events.find((event) => event.name === 'cc');
	assert.equal(linker.args.parent, 10032);
	assert.equal(linker.ts, Number(whole_start / 1000n) + 2000000);
	assert.equal(linker.dur, 800000);
	assert.ok(trace.some((event) => event.ph === 'X' && event.pid === 10032 && event.cat === 'Query'));
	const one = path.join(whole_folder, 'first-0010031.mm_profdata');
	assert.ok(!JSON.parse(querytap('crox', one, '-o', '-')).some((event) => event.cat === 'Process'));
});

test('report: light, dark, narrow, and print', { skip }, async () => {
	for (const dark of [false, true]) {
		for (const width of [1280, 375]) {
			await withPage(file, { dark, width }, async (page) => {
				const name = `${width === 375 ? 'narrow-' : ''}${dark ? 'dark' : 'light'}`;
				assert.equal(await isDark(page), dark);
				await screenshot(page, `report-${name}`);
				await page.click('.bar >> nth=2');
				await screenshot(page, `report-crate-${name}`);
				await expectAccessible(page);
				await page.click('#theme button');
				await expectAccessible(page);
			});
		}
	}
	await withPage(file, { dark: true }, async (page) => {
		await page.click('.bar >> nth=0');
		await page.emulateMedia({ media: 'print' });
		assert.equal(await isDark(page), false);
		assert.equal(await page.isVisible('text=Zoom in'), false);
		const pdf = path.join(temp, 'report.pdf');
		await page.pdf({ path: pdf });
		assert.ok(fs.statSync(pdf).size > 10000);
	});
});

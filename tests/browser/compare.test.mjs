// SPDX-License-Identifier: MIT OR Apache-2.0
// The page of querytap compare: its figures are those of summarize, and it sorts, filters and opens crates.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { addEmptyProfile, expectAccessible, hostile_label, makeFolder, milliseconds, plain_label, readTable, summarize } from './build.mjs';
import { isDark, noBrowser, querytap, screenshot, temp, withPage } from './lib.mjs';

const skip = noBrowser;
const base = makeFolder('base', [
	['alpha', 10011, 'tiny-197-args'],
	['beta', 10012, 'tiny-195'],
	['gone', 10013, 'tiny-195'],
	['twice', 10014, 'tiny-197-args'],
	['twice', 10015, 'tiny-197-args'],
]);
const change = makeFolder('change', [
	['alpha', 10021, 'tiny-197-cache-hits'],
	['beta', 10022, 'tiny-195', 0, true],
	['twice', 10024, 'tiny-197-args'],
]);

function makePage(name, ...args) {
	const file = path.join(temp, `${name}.html`);
	querytap('compare', ...args, '-o', file);
	return file;
}

const folders = makePage('folders', base, change);
const two = makePage('two', path.join(base, 'alpha-0010011'), path.join(change, 'alpha-0010021.mm_profdata'));
const runs = makePage('runs', '--base', base, '--base', base, '--change', change, '--change', change);
const mixed = makePage('mixed', base, change, '-b', base, '-b', change, '-c', base, '-c', change);

// What the page is to say of two profiles, row by row.
function expected(left, right) {
	return [...new Set([...left.keys(), ...right.keys()])].map((label) => {
		const none = { self: 0, count: 0 };
		const [a, b] = [left.get(label) ?? none, right.get(label) ?? none];
		return { label, base: a.self, change: b.self, counts: [a.count, b.count] };
	});
}

const alpha = expected(summarize(base, 'alpha-0010011'), summarize(change, 'alpha-0010021'));
const labels = (rows) => rows.map((row) => row[0]);
const value = (text) => Number(text.replace(/[^0-9.−+]/g, '').replace('−', '-'));

test('compare: the figures of two profiles are those of summarize', { skip }, async () => {
	await withPage(two, {}, async (page) => {
		const rows = await readTable(page, 'Labels of All crates together');
		assert.equal(rows.length, Math.min(300, alpha.length));
		for (const row of alpha.filter((one) => labels(rows).includes(one.label))) {
			const [, left, right, difference, , , count, counted] = rows.find((one) => one[0] === row.label);
			assert.equal(left, milliseconds(row.base, 2));
			assert.equal(right, milliseconds(row.change, 2));
			assert.ok(Math.abs(value(difference) - (row.change - row.base) / 1e6) < 0.0051, row.label);
			assert.deepEqual([count, counted], row.counts.map((one) => one.toLocaleString('en-US')));
		}
		// The largest difference is on top.
		const top = [...alpha].sort((a, b) => Math.abs(b.change - b.base) - Math.abs(a.change - a.base))[0];
		assert.equal(rows[0][0], top.label);
		assert.equal(await page.isVisible('#crates'), false);
		assert.match(await page.textContent('#notes'), /noise cannot be told/);
		await expectAccessible(page);
	});
});

test('compare: sorts by any column, both ways, by mouse and keyboard', { skip }, async () => {
	await withPage(two, {}, async (page) => {
		const read = () => readTable(page, 'Labels of All crates together');
		const sorted = (head) => page.getAttribute(`#labels th:has-text("${head}")`, 'aria-sort');
		await page.click('#labels th button:has-text("Base, ms")');
		assert.equal(await sorted('Base, ms'), 'descending');
		let values = (await read()).map((row) => value(row[1]));
		assert.deepEqual(values, [...values].sort((a, b) => b - a));
		await page.focus('#labels th button:has-text("Base, ms")');
		await page.keyboard.press('Enter');
		assert.equal(await sorted('Base, ms'), 'ascending');
		values = (await read()).map((row) => value(row[1]));
		assert.deepEqual(values, [...values].sort((a, b) => a - b));
		await page.click('#labels th button:has-text("Label")');
		assert.equal(await sorted('Base, ms'), null);
		const names = labels(await read());
		assert.deepEqual(names, [...names].sort());
		await page.click('#labels th button:has-text("Count, change")');
		values = (await read()).map((row) => value(row[7]));
		assert.deepEqual(values, [...values].sort((a, b) => b - a));
	});
});

test('compare: filters by text and by significance', { skip }, async () => {
	await withPage(two, {}, async (page) => {
		const read = () => readTable(page, 'Labels of All crates together');
		await page.fill('#labels input[type=search]', '  MIR_');
		const filtered = labels(await read());
		assert.deepEqual(filtered.toSorted?.() ?? [...filtered].sort(), alpha.map((row) => row.label).filter((label) => label.toLowerCase().includes('mir_')).sort());
		assert.match(await page.textContent('#labels .shown'), new RegExp(`^${filtered.length} of ${alpha.length} labels`));
		await page.fill('#labels input[type=search]', 'no such label');
		assert.deepEqual(await read(), [['Nothing to show.']]);
		await page.fill('#labels input[type=search]', '');
		await page.check('text=Only significant');
		let whole = 0;
		for (const row of alpha) whole += row.base;
		const significant = alpha.filter(
			(row) => row.counts[0] !== row.counts[1] || (row.base !== row.change && Math.abs(row.change - row.base) >= Math.floor(whole * 0.005)),
		);
		assert.deepEqual(labels(await read()).sort(), significant.map((row) => row.label).sort());
		assert.ok(significant.length > 0 && significant.length < alpha.length);
		await page.uncheck('text=Only significant');
		if (alpha.length > 300) {
			await page.click(`text=Show all ${alpha.length} rows`);
			assert.equal((await read()).length, alpha.length);
		}
	});
});

test('compare: folders are matched crate by crate', { skip }, async () => {
	await withPage(folders, {}, async (page) => {
		const rows = await readTable(page, 'Crates');
		assert.deepEqual(labels(rows).sort(), ['All crates together', 'alpha', 'beta', 'gone (base only)', 'twice']);
		let sum = 0;
		for (const row of alpha) sum += row.base;
		const of_alpha = rows.find((row) => row[0] === 'alpha');
		assert.ok(Math.abs(value(of_alpha[1]) - sum / 1e6) < 0.0051);
		// What one side lacks comes last.
		assert.equal(rows.at(-1)[0], 'gone (base only)');
		assert.equal(rows.at(-1)[5], 'gone');

		await page.click('#crates button:has-text("alpha")');
		assert.equal(await page.textContent('#labels-title'), 'alpha');
		const inside = await readTable(page, 'Labels of alpha');
		assert.equal(inside.length, Math.min(300, alpha.length));
		assert.equal(await page.getAttribute('#crates tr:has-text("alpha")', 'aria-current'), 'true');

		await page.click('#crates button:has-text("twice")');
		assert.match(await page.textContent('#labels-note'), /The sum of 2 and 1 profile/);
		const single = summarize(base, 'twice-0010014');
		await page.fill('#labels input[type=search]', 'typeck');
		for (const row of await readTable(page, 'Labels of twice')) {
			assert.equal(value(row[6]), 2 * single.get(row[0]).count);
			assert.equal(value(row[7]), single.get(row[0]).count);
		}
		await page.fill('#crates input[type=search]', 'bet');
		assert.deepEqual(labels(await readTable(page, 'Crates')).sort(), ['All crates together', 'beta']);
		await page.fill('#labels input[type=search]', '');
		// By keyboard, and with labels that would like to be HTML.
		await page.focus('#crates button:has-text("beta")');
		await page.keyboard.press('Enter');
		assert.equal(await page.evaluate(() => document.activeElement.id), 'labels-title');
		const beta = labels(await readTable(page, 'Labels of beta'));
		assert.ok(beta.includes(hostile_label) && beta.includes(plain_label));
		assert.equal(await page.$$eval('img', (images) => images.length), 0);
		await expectAccessible(page);
	});
});

test('compare: several runs a side tell noise apart', { skip }, async () => {
	await withPage(runs, {}, async (page) => {
		assert.match(await page.textContent('#notes'), /2 runs of the base and 2 runs of the change/);
		assert.match(await page.textContent('#notes'), /ranges do not overlap/);
		await page.click('#crates button:has-text("alpha")');
		const rows = await readTable(page, 'Labels of alpha');
		// The same run twice has no spread, so that every difference is real.
		for (const row of rows) assert.ok(['real', 'same'].includes(row[6]), row.join());
		for (const row of rows) assert.equal(value(row[5]), 0);
		await expectAccessible(page);
	});
	// The middle one of three runs differs, but the ranges are the same.
	await withPage(mixed, {}, async (page) => {
		await page.click('#crates button:has-text("alpha")');
		const rows = await readTable(page, 'Labels of alpha');
		for (const row of rows) assert.ok(['within noise', 'same'].includes(row[6]), row.join());
		assert.ok(rows.filter((row) => row[6] === 'within noise').length > 100);
		await page.check('text=Only significant');
		assert.deepEqual(await readTable(page, 'Labels of alpha'), [['Nothing to show.']]);
		await page.uncheck('text=Only significant');
		await page.check('text=Show ranges');
		const { label, base: left, change: right } = alpha.find((row) => row.label === rows[0][0]);
		const range = [left, right].sort((a, b) => a - b).map((ns) => milliseconds(ns, 2)).join(' to ');
		const ranged = (await readTable(page, 'Labels of alpha')).find((row) => row[0] === label);
		assert.deepEqual(ranged.slice(1, 3), [milliseconds(left, 2) + range, milliseconds(right, 2) + range]);
		await expectAccessible(page);
	});
});

test('compare: folders that have no crate and no label in common', { skip }, async () => {
	const [left, right] = ['left', 'right'].map((name) => path.join(temp, name));
	for (const [folder, crate] of [[left, 'one'], [right, 'two']]) {
		fs.mkdirSync(folder);
		addEmptyProfile(folder, crate, 61);
	}
	await withPage(makePage('apart', left, right), {}, async (page) => {
		const rows = await readTable(page, 'Crates');
		assert.deepEqual(labels(rows).sort(), ['All crates together', 'one (base only)', 'two (change only)']);
		assert.deepEqual(await readTable(page, 'Labels of All crates together'), [['Nothing to show.']]);
		assert.match(await page.textContent('#labels-note'), /^0 crates that every run has/);
		await page.click('#crates button:has-text("two")');
		assert.match(await page.textContent('#labels-note'), /^Only the change has this crate/);
		await expectAccessible(page);
	});
});

test('compare: light, dark, the button between them, narrow, and print', { skip }, async () => {
	for (const dark of [false, true]) {
		await withPage(folders, { dark }, async (page) => {
			assert.equal(await isDark(page), dark);
			await screenshot(page, `compare-${dark ? 'dark' : 'light'}`);
			await page.click('#theme button');
			assert.equal(await isDark(page), !dark);
			await expectAccessible(page);
			await page.click('#theme button');
			assert.equal(await isDark(page), dark);
		});
		await withPage(runs, { dark, width: 375 }, async (page) => {
			await screenshot(page, `compare-narrow-${dark ? 'dark' : 'light'}`);
			await expectAccessible(page);
		});
	}
	await withPage(folders, { dark: true }, async (page) => {
		await page.emulateMedia({ media: 'print' });
		assert.equal(await isDark(page), false);
		assert.equal(await page.isVisible('#theme button'), false);
		const pdf = path.join(temp, 'compare.pdf');
		await page.pdf({ path: pdf });
		assert.ok(fs.statSync(pdf).size > 10000);
		assert.equal((await readTable(page, 'Labels of All crates together')).length > 300, true);
	});
});

// SPDX-License-Identifier: MIT OR Apache-2.0
// The flame graph in a browser: zoom, search, tooltips, the keyboard, light and dark, against the folded stacks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { goldenProfile, isDark, noBrowser, querytap, screenshot, temp, withPage } from './lib.mjs';

const graphs = new Map();

// Draws a profile of tests/golden/ once: { file, total, below }, with the nanoseconds of all stacks and of those that
// a function of their labels chooses.
function graph(name) {
	if (!graphs.has(name)) {
		const profile = goldenProfile(name);
		const file = path.join(temp, `${name}.svg`);
		querytap('flamegraph', profile, '-o', file);
		const stacks = querytap('collapse', profile).trimEnd().split('\n').map((line) => {
			const at = line.lastIndexOf(' ');
			return [line.slice(0, at).split(';'), Number(line.slice(at + 1))];
		});
		const sum = (chosen) => stacks.reduce((total, [labels, ns]) => total + (chosen(labels) ? ns : 0), 0);
		graphs.set(name, { file, total: sum(() => true), below: sum });
	}
	return graphs.get(name);
}

// The frames that can be seen: label, left edge and width in parts of the picture, depth.
const seen = (page) => page.$$eval('#frames g', (groups) => groups
	.filter((group) => group.style.display !== 'none')
	.map((group) => {
		const rect = group.querySelector('rect');
		const title = group.querySelector('title').textContent;
		return {
			label: title.slice(0, title.lastIndexOf(' (')),
			left: parseFloat(rect.getAttribute('x')) / 100,
			width: parseFloat(rect.getAttribute('width')) / 100,
			depth: Number(rect.getAttribute('y')) / 18,
		};
	}));

const find = (frames, label, depth) => frames.find((frame) => frame.label === label && (depth ?? frame.depth) === frame.depth);
// The first frame of a label, as a locator of its rectangle.
async function frameOf(page, label) {
	const index = await page.$$eval('#frames title', (titles, start) =>
		titles.findIndex((title) => title.textContent.startsWith(start)), `${label} (`);
	return page.locator('#frames rect').nth(index);
}
const close = (value, expected) => assert.ok(Math.abs(value - expected) < 0.0002, `${value} is not ${expected}`);

test('frames are as wide as their stacks', { skip: noBrowser }, async () => {
	const { file, total, below } = graph('tiny-195');
	await withPage(file, {}, async (page) => {
		const frames = await seen(page);
		close(find(frames, 'rustc', 0).width, 1);
		for (const label of ['LLVM_passes', 'analysis', 'codegen_crate']) {
			const frame = find(frames, label, 1);
			close(frame.width, below((labels) => labels[1] === label) / total);
		}
		// In each row, what lies beside each other does not overlap.
		for (let depth = 0; depth < 10; depth++) {
			let end = 0;
			for (const frame of frames.filter((one) => one.depth === depth).sort((a, b) => a.left - b.left)) {
				assert.ok(frame.left >= end - 1e-6, `${frame.label} in row ${depth}`);
				end = frame.left + frame.width;
			}
			assert.ok(end <= 1.0001);
		}
		assert.match(await page.textContent('#omitted'), /^\d+ frames narrower than 0\.1 pixels, \d+\.\d\d% of the time, not drawn\.$/);
	});
});

test('a click zooms, Reset zoom and Esc go back', { skip: noBrowser }, async () => {
	const { file, total, below } = graph('tiny-195');
	await withPage(file, {}, async (page) => {
		const before = await seen(page);
		assert.ok(await page.isDisabled('#reset'));
		await (await frameOf(page, 'analysis')).click();
		const zoomed = await seen(page);
		close(find(zoomed, 'analysis').width, 1);
		close(find(zoomed, 'rustc', 0).width, 1);
		assert.equal(find(zoomed, 'LLVM_passes', 1), undefined);
		const inner = 'type_check_crate';
		const whole = below((labels) => labels[1] === 'analysis');
		close(find(zoomed, inner, 2).width, below((labels) => labels[1] === 'analysis' && labels[2] === inner) / whole);
		assert.ok(whole < total);
		await page.click('#reset');
		assert.deepEqual(await seen(page), before);
		await (await frameOf(page, 'analysis')).click();
		// The frame zoomed to lies below the whole, a click on which leads out.
		await (await frameOf(page, 'rustc')).click();
		assert.deepEqual(await seen(page), before);
		await (await frameOf(page, 'analysis')).click();
		await page.keyboard.press('Escape');
		assert.deepEqual(await seen(page), before);
	});
});

test('search takes text and regular expressions and says what matched', { skip: noBrowser }, async () => {
	const { file, total, below } = graph('tiny-195');
	const matched = async (page) => /^matched: (\d+\.\d\d)%$/.exec(await page.textContent('#matched'))?.[1];
	await withPage(file, {}, async (page) => {
		for (const [key, text, pattern] of [
			['/', 'llvm', /llvm/i],
			['Control+f', '^(analysis|llvm_passes)$', /^(analysis|llvm_passes)$/i],
		]) {
			await page.keyboard.press(key);
			await page.keyboard.type(text);
			// Narrow frames are not drawn, so a little may be missing.
			const expected = (100 * below((labels) => labels.some((label) => pattern.test(label)))) / total;
			assert.ok(Math.abs(Number(await matched(page)) - expected) < 0.2, `${await matched(page)}, not ${expected}`);
			assert.ok((await page.locator('#frames g.hit').count()) > 0);
			await page.keyboard.press('Escape');
			assert.equal(await page.$eval('#query', (query) => query.value), '');
			assert.equal(await page.locator('#frames g.hit').count(), 0);
			assert.equal(await page.textContent('#matched'), '');
		}
		// No regular expression, thus text.
		await page.fill('#query', 'rustc(');
		assert.equal(await page.textContent('#matched'), 'nothing matched');
		await page.fill('#query', 'rustc');
		assert.equal(await matched(page), '100.00');
		// Within a zoom the part is that of the zoom.
		await page.fill('#query', 'type_check_crate');
		await (await frameOf(page, 'analysis')).click();
		const whole = below((labels) => labels[1] === 'analysis');
		const part = below((labels) => labels[1] === 'analysis' && labels[2] === 'type_check_crate');
		assert.ok(Math.abs(Number(await matched(page)) - (100 * part) / whole) < 0.2);
	});
});

test('the pointer and the arrow keys tell about frames', { skip: noBrowser }, async () => {
	const { file } = graph('tiny-197-threads4');
	await withPage(file, {}, async (page) => {
		const hint = await page.textContent('#details');
		await (await frameOf(page, 'analysis')).hover();
		assert.match(await page.textContent('#details'), /^analysis \([\d.]+[mµn]?s, \d+\.\d\d%; [\d.]+[mµn]?s of it its own\)$/);
		await page.mouse.move(600, 20);
		assert.equal(await page.textContent('#details'), hint);
		await page.keyboard.press('ArrowDown');
		assert.match(await page.textContent('#details'), /^rustc \(/);
		await page.keyboard.press('ArrowDown');
		const first = await page.textContent('#details');
		assert.doesNotMatch(first, /^rustc \(/);
		await page.keyboard.press('ArrowRight');
		const second = await page.textContent('#details');
		assert.notEqual(second, first);
		await page.keyboard.press('ArrowLeft');
		assert.equal(await page.textContent('#details'), first);
		await page.keyboard.press('Enter');
		close(find(await seen(page), first.slice(0, first.lastIndexOf(' ('))).width, 1);
		await page.keyboard.press('ArrowUp');
		assert.match(await page.textContent('#details'), /^rustc \(/);
		await page.keyboard.press('Escape');
		assert.equal(await page.textContent('#details'), hint);
		assert.ok(await page.isDisabled('#reset'));
	});
});

test('it fills the window, in light and dark', { skip: noBrowser }, async () => {
	const { file } = graph('tiny-197-threads4');
	for (const dark of [false, true]) {
		for (const width of [500, 1600]) {
			await withPage(file, { dark, width }, async (page) => {
				assert.equal(await isDark(page), dark);
				const box = await (await frameOf(page, 'rustc')).boundingBox();
				assert.ok(Math.abs(box.width - 0.98 * width) < 20, `${box.width} of ${width}`);
				// No text reaches out of its frame.
				const wide = await page.$$eval('#frames g', (groups) => groups.filter((group) => {
					const text = group.querySelector('text').getBoundingClientRect();
					return text.width > 0 && text.right > group.querySelector('rect').getBoundingClientRect().right + 1;
				}).map((group) => group.textContent));
				assert.deepEqual(wide, []);
				await screenshot(page, `flamegraph-${width}-${dark ? 'dark' : 'light'}`);
			});
		}
	}
});

test('labels and titles are shown as they are', { skip: noBrowser }, async () => {
	const file = path.join(temp, 'titled.svg');
	const title = '<script>alert(1)</script> & "more" ]]>';
	querytap('flamegraph', goldenProfile('tiny-195'), '--title', title, '-o', file);
	assert.ok(fs.statSync(file).size < 1 << 20);
	await withPage(file, {}, async (page) => {
		assert.equal(await page.textContent('h1'), title);
		assert.equal(await page.title(), title);
	});
});

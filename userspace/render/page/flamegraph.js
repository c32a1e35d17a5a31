/* Zoom, search and the keyboard for a flame graph, whose frames carry their parent's number (data-p), left edge (data-x)
 * and width (data-t) in nanoseconds, and in their <title> the label and, in parentheses, what is to be known of it. */
'use strict';
(() => {
	const WIDEST = 0.98, LETTER = 7.3, PADDING = 3, NARROWEST = 0.1;
	const picture = document.documentElement;
	const byId = (id) => document.getElementById(id);
	const area = byId('frames'), query = byId('query'), matched = byId('matched');
	const details = byId('details'), reset = byId('reset');
	const hint = [...details.childNodes];

	const frames = [];
	for (const group of area.querySelectorAll('g')) {
		const title = group.querySelector('title').textContent;
		const parent = frames.length ? frames[Number(group.dataset.p)] : null;
		const frame = {
			group, title, parent,
			label: title.slice(0, title.lastIndexOf(' (')),
			rect: group.querySelector('rect'), text: group.querySelector('text'),
			start: Number(group.dataset.x), total: Number(group.dataset.t),
			children: [], shown: true, hit: false,
		};
		parent?.children.push(frame);
		frames.push(frame);
		group.frame = frame;
	}
	const root = frames[0];
	let zoomed = root, current = null, pattern = null;

	/* The frames that lie in or around the one zoomed to, with left edge and width as parts of the whole. */
	function place(frame, left, width, pixels) {
		frame.shown = width * pixels >= NARROWEST;
		frame.group.style.display = frame.shown ? '' : 'none';
		if (!frame.shown)
			return;
		frame.rect.setAttribute('x', `${100 * left}%`);
		frame.rect.setAttribute('width', `${100 * width}%`);
		frame.text.setAttribute('x', `${100 * left}%`);
		const room = Math.floor((width * pixels - 2 * PADDING) / LETTER);
		const letters = [...frame.label];
		frame.text.textContent = room < 3 ? '' : letters.length <= room ? frame.label
			: `${letters.slice(0, room - 1).join('')}…`;
	}

	function layOut() {
		const pixels = picture.getBoundingClientRect().width * WIDEST;
		const around = new Set();
		for (let frame = zoomed.parent; frame; frame = frame.parent)
			around.add(frame);
		/* Parents come before their children. */
		const inside = new Set([zoomed]);
		for (const frame of frames) {
			if (inside.has(frame.parent))
				inside.add(frame);
			frame.group.classList.toggle('above', around.has(frame));
			if (around.has(frame))
				place(frame, 0, 1, pixels);
			else if (inside.has(frame))
				place(frame, (frame.start - zoomed.start) / (zoomed.total || 1),
					frame === zoomed ? 1 : frame.total / (zoomed.total || 1), pixels);
			else
				place(frame, 0, 0, pixels);
		}
		reset.disabled = zoomed === root;
	}

	function zoom(frame) {
		zoomed = frame;
		layOut();
		count();
	}

	/* What was typed as a regular expression or, if it is none, as text; case is ignored. */
	function compile(text) {
		if (!text)
			return null;
		try {
			return new RegExp(text, 'iu');
		} catch {
			return new RegExp(text.replace(/[.*+?^${}()|\[\]\\\/-]/g, '\\$&').replace(/\\-/g, '-'), 'i');
		}
	}

	function search(text) {
		pattern = compile(text);
		for (const frame of frames) {
			frame.hit = pattern !== null && pattern.test(frame.label);
			frame.group.classList.toggle('hit', frame.hit);
		}
		count();
	}

	/* How much of what is zoomed to lies in frames that match; one within another counts once. */
	function count() {
		let sum = 0, hits = 0;
		const walk = [zoomed];
		while (walk.length) {
			const frame = walk.pop();
			if (frame.hit) {
				sum += frame.total;
				hits++;
			} else {
				walk.push(...frame.children);
			}
		}
		matched.textContent = pattern === null ? ''
			: `${hits ? '' : 'nothing '}matched${hits ? `: ${(100 * sum / (zoomed.total || 1)).toFixed(2)}%` : ''}`;
	}

	function tell(frame) {
		if (!frame)
			details.replaceChildren(...hint);
		else
			details.textContent = frame.title;
		details.classList.toggle('frame', frame !== null);
	}

	function move(frame) {
		if (!frame)
			return;
		current?.group.classList.remove('current');
		current = frame;
		frame.group.classList.add('current');
		frame.rect.scrollIntoView({ block: 'nearest' });
		tell(frame);
	}

	const widest = (list) => list.reduce((best, frame) => (frame.shown && frame.total > (best?.total ?? -1) ? frame : best), null);

	function sibling(frame, step) {
		const shown = frame.parent ? frame.parent.children.filter((child) => child.shown) : [frame];
		return shown[shown.indexOf(frame) + step];
	}

	function leave() {
		if (query.value) {
			query.value = '';
			search('');
		} else if (zoomed !== root) {
			zoom(root);
		}
		current?.group.classList.remove('current');
		current = null;
		tell(null);
	}

	area.addEventListener('click', (event) => {
		const frame = event.target.closest('g')?.frame;
		if (frame) {
			zoom(frame);
			move(frame);
		}
	});
	area.addEventListener('mouseover', (event) => tell(event.target.closest('g')?.frame ?? null));
	area.addEventListener('mouseleave', () => tell(current));
	query.addEventListener('input', () => search(query.value));
	reset.addEventListener('click', () => zoom(root));
	window.addEventListener('resize', layOut);
	document.addEventListener('keydown', (event) => {
		const typing = event.target === query;
		if ((event.key === 'f' && (event.ctrlKey || event.metaKey)) || (event.key === '/' && !typing)) {
			event.preventDefault();
			query.focus();
			query.select();
		} else if (event.key === 'Escape') {
			event.preventDefault();
			leave();
			area.focus();
		} else if (typing || event.target === reset || event.ctrlKey || event.metaKey || event.altKey) {
			if (typing && event.key === 'Enter')
				area.focus();
		} else if (event.key.startsWith('Arrow')) {
			event.preventDefault();
			if (!current)
				move(zoomed);
			else if (event.key === 'ArrowUp')
				move(current.parent);
			else if (event.key === 'ArrowDown')
				move(widest(current.children));
			else
				move(sibling(current, event.key === 'ArrowLeft' ? -1 : 1));
		} else if ((event.key === 'Enter' || event.key === ' ') && current) {
			event.preventDefault();
			zoom(current);
		}
	});

	/* Without the script the picture has a fixed size; with it, it fills the window. */
	picture.removeAttribute('viewBox');
	picture.setAttribute('width', '100%');
	layOut();
})();

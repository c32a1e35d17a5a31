// SPDX-License-Identifier: MIT OR Apache-2.0
'use strict';
// Merged stacks as nested boxes: as wide as their time, each below what it lies in. Zooms into a box; what would be too
// narrow to see is drawn when its surroundings are zoomed into.
figures.flame = (() => {
	const row_height = 21;
	const narrowest = 2; // pixels
	const { element, number, time } = figures;

	const tone_of = (label) => {
		let sum = 0;
		for (let i = 0; i < label.length; i++) sum = (sum * 31 + label.charCodeAt(i)) % 65521;
		return 'abcdef'[sum % 6];
	};

	// The nodes as objects, the root first.
	function read(stacks) {
		const root = { label: 'all', total: stacks.total_ns, self: 0, count: 1, depth: 0, children: [] };
		const nodes = [root];
		for (const [parent, label, total, self, count] of stacks.nodes) {
			const node = {
				label: stacks.labels[label], total, self, count,
				parent: nodes[parent], depth: nodes[parent].depth + 1, children: [],
			};
			nodes.push(node);
			node.parent.children.push(node);
		}
		return root;
	}

	// Returns { node, found (marks the labels with a text), close }.
	return (stacks, name) => {
		const root = read(stacks);
		let zoomed = root;
		let current = root;
		let text = '';
		let shown = new Map();
		const boxes = element('div', { class: 'boxes', role: 'tree', 'aria-label': `Merged stacks of ${name}` });
		const frame = element('div', { class: 'flame' }, boxes);
		const status = element('p', { class: 'flame-status quiet', role: 'status' });

		const share = (part, whole) => (whole ? `${number((part / whole) * 100, 2)} %` : '0 %');

		function describe(node) {
			const parts = [
				node === root ? `All of ${name}` : node.label,
				`${time(node.total)} (${share(node.total, root.total)} of the crate)`,
			];
			if (node !== root) parts.push(`self time ${time(node.self)}`, figures.plural(node.count, 'time'));
			return parts.join(', ');
		}

		function tell(node) {
			status.textContent = describe(node);
		}

		// Places are given in shares of the whole, so that they hold on paper, too.
		function add(node, left, width, whole, list) {
			const classes = ['box', `tone-${tone_of(node.label)}`];
			if (width < 24) classes.push('narrow');
			if (node !== zoomed && node.depth < zoomed.depth) classes.push('above');
			if (text && node.label.toLowerCase().includes(text)) classes.push('found');
			const box = element(
				'div',
				{ class: classes.join(' '), role: 'treeitem', 'aria-level': node.depth + 1, 'aria-label': describe(node), tabindex: -1 },
				width < 24 ? '' : node === root ? `${name}, ${time(root.total)}` : node.label,
			);
			if (node.children.length) box.setAttribute('aria-expanded', node === zoomed || node.depth < zoomed.depth);
			box.style.left = `${(left / whole) * 100}%`;
			box.style.width = `${(width / whole) * 100}%`;
			box.style.top = `${node.depth * row_height}px`;
			box.querytap_node = node;
			shown.set(node, box);
			list.push(box);
		}

		function draw() {
			const width = boxes.clientWidth || 1;
			const list = [];
			let deepest = zoomed.depth;
			shown = new Map();
			for (let above = zoomed.parent; above; above = above.parent) add(above, 0, width, width, list);
			const places = [[zoomed, 0]];
			for (const [node, left] of places) {
				const scale = zoomed.total ? width / zoomed.total : 0;
				let at = left;
				add(node, left, node === zoomed ? width : node.total * scale, width, list);
				deepest = Math.max(deepest, node.depth);
				for (const child of node.children) {
					if (child.total * scale >= narrowest) places.push([child, at]);
					at += child.total * scale;
				}
			}
			boxes.style.height = `${(deepest + 1) * row_height}px`;
			boxes.replaceChildren(...list);
			if (!shown.has(current)) current = zoomed;
			shown.get(current).tabIndex = 0;
		}

		function go(node) {
			if (!node || !shown.has(node)) return;
			shown.get(current).tabIndex = -1;
			current = node;
			shown.get(node).tabIndex = 0;
			shown.get(node).focus();
		}

		function zoom(node) {
			zoomed = node;
			current = node;
			draw();
			go(node);
		}

		const sibling = (step) => {
			const list = current.parent?.children ?? [current];
			return list[list.indexOf(current) + step];
		};

		const keys = {
			ArrowUp: () => go(current.parent),
			ArrowDown: () => go(current.children[0]),
			ArrowLeft: () => go(sibling(-1)),
			ArrowRight: () => go(sibling(1)),
			Home: () => go(root),
			Enter: () => zoom(current),
			' ': () => zoom(current),
			Escape: () => zoom(zoomed.parent ?? root),
		};

		boxes.addEventListener('keydown', (event) => {
			if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
			event.preventDefault();
			keys[event.key]();
		});
		boxes.addEventListener('click', (event) => {
			const node = event.target.closest('.box')?.querytap_node;
			if (node) zoom(node);
		});
		boxes.addEventListener('mouseover', (event) => {
			const node = event.target.closest('.box')?.querytap_node;
			if (node) tell(node);
		});
		boxes.addEventListener('mouseleave', () => tell(zoomed));
		boxes.addEventListener('focusin', (event) => tell(event.target.querytap_node ?? zoomed));

		let last_width = 0;
		const observer = new ResizeObserver(() => {
			if (boxes.clientWidth === last_width) return;
			last_width = boxes.clientWidth;
			draw();
		});
		observer.observe(boxes);
		tell(root);
		return {
			node: element('div', {}, frame, status),
			zoom_out: () => zoom(root),
			find(typed) {
				text = typed;
				draw();
			},
			close: () => observer.disconnect(),
		};
	};
})();

# SPDX-License-Identifier: MIT
"""Random views: texts of tiles, in all the ways in which they can be written."""

from __future__ import annotations


class ViewMaker:
    """The text of a rows x cols block of a tensor that stays inside it in every iteration."""

    def __init__(self, rng, tensor, rows, cols, loops, disjoint):
        self.rng = rng
        shape = tensor["shape"]
        self.rank1 = len(shape) == 1
        self.shape = [1] + shape if self.rank1 else shape
        self.blocks = [1] * (len(self.shape) - 2) + [rows, cols]
        self.name = tensor["name"]
        self.coefficients = [{} for _ in self.shape]
        self.constants = [0] * len(self.shape)
        fits = all(block <= size for block, size in zip(self.blocks, self.shape))
        self.possible = fits and self.place(loops, disjoint)

    def place(self, loops, disjoint):
        """Offsets as affine expressions, innermost loop first. With `disjoint` the iterations of a
        parallel loop get blocks that do not meet, whatever the loops inside it do."""
        rng = self.rng
        spans = [0] * len(self.shape)
        slack = lambda d: self.shape[d] - self.blocks[d] - spans[d]
        for variable, extent, parallel in reversed(loops):
            if extent == 1 and rng.random() < 0.5:
                continue
            must = disjoint and parallel and extent > 1
            dimensions = [d for d in range(len(self.shape))
                          if not (must and slack(d) < (extent - 1) * (spans[d] + self.blocks[d]))]
            if must and not dimensions:
                return False
            if not must and rng.random() < 0.35:
                continue
            d = rng.choice(dimensions)
            least = spans[d] + self.blocks[d] if must else 1
            most = slack(d) // max(extent - 1, 1)
            if most < least:
                continue
            typical = [least, self.blocks[d], min(2, most)]
            step = rng.choice([t for t in typical if least <= t <= most] or [least])
            if rng.random() < 0.2:
                step = rng.randint(least, most)
            spans[d] += step * (extent - 1)
            if rng.random() < 0.15:
                self.constants[d] += step * (extent - 1)
                step = -step
            self.coefficients[d][variable] = step
        for d in range(len(self.shape)):
            self.constants[d] += rng.choice((0, rng.randint(0, slack(d)), slack(d)))
        return True

    def expression(self, d, extra=0):
        rng = self.rng
        terms = []
        for variable, c in self.coefficients[d].items():
            size = abs(c)
            forms = [f"{size}*{variable}", f"{variable}*{size}", f"{variable} * {size}"]
            if size == 1:
                forms = [variable, f"1*{variable}"]
            if size == 2:
                forms.append(f"({variable} + {variable})")
            if size > 2:
                forms.append(f"({size - 1}*{variable}+{variable})")
            terms.append(("-" if c < 0 else "+", rng.choice(forms)))
        constant = self.constants[d] + extra
        if constant or not terms:
            terms.append(("+", str(constant)))
        terms.sort(key=lambda t: t[0] == "-")
        if terms[0][0] == "-":
            terms.insert(0, ("+", "0"))
        space = rng.choice(("", " "))
        return terms[0][1] + "".join(f"{space}{sign}{space}{text}" for sign, text in terms[1:])

    def text(self):
        rng = self.rng
        parts = []
        for d in range(len(self.shape)):
            fixed = not self.coefficients[d]
            leading = d < len(self.shape) - 2
            block = self.blocks[d]
            if leading or (block == 1 and rng.random() < 0.4):
                parts.append(self.expression(d))
            elif fixed and block == self.shape[d] and rng.random() < 0.7:
                parts.append(":")
            else:
                start, stop = self.expression(d), self.expression(d, block)
                if rng.random() < 0.3:
                    stop = f"{self.expression(d)}+{block}"
                if fixed and self.constants[d] == 0 and rng.random() < 0.3:
                    start = ""
                if fixed and self.constants[d] + block == self.shape[d] and rng.random() < 0.3:
                    stop = ""
                parts.append(f"{start}:{stop}")
        if self.rank1:
            parts = parts[1:]
        while parts and parts[-1] == ":" and rng.random() < 0.6:
            parts.pop()
        if not parts:
            return self.name
        # Leading dimensions may have brackets of their own.
        cut = rng.randint(0, len(parts) - 1) if rng.random() < 0.3 else 0
        separator = rng.choice((", ", ","))
        groups = [[p] for p in parts[:cut]] + [parts[cut:]]
        return self.name + "".join(f"[{separator.join(g)}]" for g in groups)

"""How long things take by machine and by kind of work, when both matter and most pairs were seen only a few times.

The logarithm of observed over planned time of pair (i, j) is ``level + row_i + column_j + pair_ij + noise_g``: a
machine is slower at everything, an operation longer everywhere, and the two together may be special. The effects
are normal about 0 - the plan - with variances learned from all of them, so a pair that was seen often speaks for
itself and one never seen gets what its machine and its operation suggest. Noise variances are scaled inverse
chi-squared about planned ones times a common factor, and how closely they keep to them is learned too.

The posterior is sampled by a Gibbs sampler: row and column effects in one block with the pair effects integrated
out; durations whose end was not seen are drawn anew in every sweep from the normal above what was seen of them.
Sources: D. V. Lindley and A. F. M. Smith, "Bayes estimates for the linear model", JRSS B 34 (1972), 1-41;
A. Gelman et al., "Bayesian Data Analysis", 3rd ed. (2013), ch. 5, 11.6 and 15; half-t scales by two inverse gammas:
M. P. Wand et al., "Mean field variational Bayes for elaborate distributions", Bayesian Analysis 6 (2011), 847-900;
censored normals by data augmentation: M. A. Tanner and W. H. Wong, "The calculation of posterior distributions by
data augmentation", JASA 82 (1987), 528-540.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import gammaln, log_ndtr, ndtr, ndtri

Column = NDArray[np.float64]
Index = NDArray[np.intp]

_LEVEL_SCALE = 0.1
"""Prior standard deviation of the common log-factor: a plan is seldom off by more than a quarter as a whole."""
_EFFECT_SCALE, _EFFECT_FREEDOM = 0.1, 4.0
"""The effects' standard deviations are half-t about 0 before anything is seen."""
_LEAST_VARIANCE = 1e-6
"""A thousandth is as regular as anything is taken to be: below, sums of its inverse lose their digits."""
_FREEDOMS = np.geomspace(3.0, 300.0, 12)
"""How closely noise variances may keep to the planned ones, in degrees of freedom."""


@dataclass(frozen=True)
class CrossedData:
    """Log-ratios of observed to planned times by pair.

    Attributes
    ----------
    log_ratio, censored, pair, batch
        Per observation, shape (n,): the value, whether it is only a lower bound, its pair, and the number of its
        batch: of one batch the longest duration was seen, not whose it was. -1 outside one; none is censored.
    row, column, noise
        Per pair, shape (C,): its row, its column, and the group that shares its noise variance; each (row, column)
        at most once. Pairs without observations are estimated too.
    noise_planned
        Planned noise variances of the log-ratio, shape (G,), above 0.
    """

    log_ratio: Column
    censored: NDArray[np.bool_]
    pair: Index
    batch: Index
    row: Index
    column: Index
    noise: Index
    noise_planned: Column


@dataclass(frozen=True)
class CrossedPosterior:
    """Draws from the posterior, K of them.

    Attributes
    ----------
    location
        Mean of the log-ratio per pair, shape (K, C).
    new_pair
        The same for a pair of each row with a column never seen, shape (K, rows).
    noise_variance
        Per noise group, shape (K, G).
    """

    location: Column
    new_pair: Column
    noise_variance: Column

    def factor(self, noise: Index) -> Column:
        """Return the mean of the (lognormal) ratio per pair, shape (K, C)."""
        return np.exp(self.location + self.noise_variance[:, noise] / 2)


def sample(
    data: CrossedData, keep: int, generator: np.random.Generator, *, warm_up: int = 300, thin: int = 3
) -> CrossedPosterior:
    """Return `keep` draws, every `thin`-th of the sweeps after `warm_up`."""
    sampler = _Sampler(data, generator)
    locations, news, variances = [], [], []
    for sweep in range(warm_up + keep * thin):
        sampler.sweep()
        if sweep >= warm_up and (sweep - warm_up) % thin == thin - 1:
            locations.append(sampler.location.copy())
            news.append(sampler.new_pair())
            variances.append(sampler.variance.copy())
    offset = -data.noise_planned[data.noise] / 2
    return CrossedPosterior(np.array(locations) + offset, np.array(news), np.array(variances))


class _Sampler:
    """The state of the Gibbs sampler. `log_ratio` is taken about the plan's location, minus half its variance."""

    def __init__(self, data: CrossedData, generator: np.random.Generator) -> None:
        self._data, self._random = data, generator
        self._pairs, self._rows = len(data.row), int(data.row.max(initial=-1)) + 1
        self._columns, self._groups = int(data.column.max(initial=-1)) + 1, len(data.noise_planned)
        values = data.log_ratio + data.noise_planned[data.noise[data.pair]] / 2
        together = data.batch >= 0
        exact, bound = ~data.censored & ~together, data.censored & ~together
        self._count = np.bincount(data.pair, minlength=self._pairs).astype(float)
        self._sum_exact = _sums(data.pair[exact], values[exact], self._pairs)
        self._square_exact = _sums(data.pair[exact], values[exact] ** 2, self._pairs)
        self._bound, self._bound_pair = values[bound], data.pair[bound]
        order = np.argsort(data.batch[together], kind="stable")
        self._member, self._member_pair = values[together][order], data.pair[together][order]
        _, self._member_first = np.unique(data.batch[together][order], return_index=True)
        self._seen = np.flatnonzero(self._count)
        self._group_count = _sums(data.noise, self._count, self._groups)
        self.location = np.zeros(self._pairs)
        self.variance = data.noise_planned.copy()
        self._level_row = np.zeros(self._rows + 1)
        self._column = np.zeros(self._columns)
        self._pair = np.zeros(self._pairs)
        self._scales = np.full(3, _EFFECT_SCALE**2)  # variances of row, column and pair effects
        self._auxiliary = np.full(3, _EFFECT_SCALE**2)
        self._freedom, self._common = 10.0, 1.0

    def sweep(self) -> None:
        """Draw everything once given all else."""
        sums, squares = self._fill_in()
        self._draw_effects(sums)
        self._draw_noise(sums, squares)
        self._draw_scales()

    def new_pair(self) -> Column:
        """Return a draw of a pair of each row with a column never seen, about a planned variance of 0."""
        spread = np.sqrt(self._scales[1] + self._scales[2])
        found: Column = self._level_row[0] + self._level_row[1:] + spread * self._random.standard_normal(self._rows)
        return found

    def _fill_in(self) -> tuple[Column, Column]:
        """Draw what was not seen to its end, or not alone; return sums and sums of squares per pair."""
        if not len(self._bound) and not len(self._member):
            return self._sum_exact, self._square_exact
        pair = np.concatenate([self._bound_pair, self._member_pair])
        drawn = np.concatenate([self._beyond(), self._members()])
        return (
            self._sum_exact + _sums(pair, drawn, self._pairs),
            self._square_exact + _sums(pair, drawn**2, self._pairs),
        )

    def _beyond(self) -> Column:
        """Draw above what was seen."""
        middle, spread = self._laws(self._bound_pair)
        above = ndtr(np.maximum((middle - self._bound) / spread, -35.0))
        drawn = middle - spread * ndtri(above * (1.0 - self._random.random(len(middle))))
        found: Column = np.maximum(drawn, self._bound)
        return found

    def _members(self) -> Column:
        """Draw whose the longest duration of each batch was (by f / F), and the others' below it."""
        count = len(self._member)
        if not count:
            return self._member
        middle, spread = self._laws(self._member_pair)
        score = np.maximum((self._member - middle) / spread, -35.0)
        lot = -(score**2) / 2 - np.log(spread) - log_ndtr(score) + self._random.gumbel(size=count)
        highest = np.repeat(np.maximum.reduceat(lot, self._member_first), np.diff([*self._member_first, count]))
        below = middle + spread * ndtri(ndtr(score) * (1.0 - self._random.random(count)))
        return np.where(lot == highest, self._member, np.minimum(below, self._member))

    def _laws(self, pair: Index) -> tuple[Column, Column]:
        return self.location[pair], np.sqrt(self.variance[self._data.noise[pair]])

    def _draw_effects(self, sums: Column) -> None:
        data, seen = self._data, self._seen
        row_scale, column_scale, pair_scale = self._scales
        count, noise = self._count[seen], self.variance[data.noise[seen]]
        mean = sums[seen] / count
        weight = 1.0 / (noise / count + pair_scale)
        row, column = data.row[seen], data.column[seen]
        # Columns are eliminated first: given level and rows they are independent of each other.
        cross = np.zeros((self._rows + 1, self._columns))
        cross[row + 1, column] = weight
        cross[0] = _sums(column, weight, self._columns)
        by_row = _sums(row, weight, self._rows)
        head = np.zeros((self._rows + 1, self._rows + 1))
        head[0, 0] = weight.sum() + _LEVEL_SCALE**-2
        head[0, 1:] = head[1:, 0] = by_row
        head[np.arange(1, self._rows + 1), np.arange(1, self._rows + 1)] = by_row + 1.0 / row_scale
        column_precision = cross[0] + 1.0 / column_scale
        head_right = np.concatenate([[np.dot(weight, mean)], _sums(row, weight * mean, self._rows)])
        column_right = _sums(column, weight * mean, self._columns)
        scaled = cross / column_precision
        factor = cho_factor(head - scaled @ cross.T, lower=True)
        middle = cho_solve(factor, head_right - scaled @ column_right)
        shake = solve_triangular(factor[0], self._random.standard_normal(self._rows + 1), trans="T", lower=True)
        self._level_row = middle + shake
        self._column = (column_right - cross.T @ self._level_row) / column_precision
        self._column += self._random.standard_normal(self._columns) / np.sqrt(column_precision)
        base = self._level_row[0] + self._level_row[1:][data.row] + self._column[data.column]
        precision = self._count / self.variance[data.noise] + 1.0 / pair_scale
        self._pair = (sums - self._count * base) / self.variance[data.noise] / precision
        self._pair += self._random.standard_normal(self._pairs) / np.sqrt(precision)
        self.location = base + self._pair

    def _draw_noise(self, sums: Column, squares: Column) -> None:
        data = self._data
        deviations = squares - 2 * self.location * sums + self._count * self.location**2
        spread = _sums(data.noise, np.maximum(deviations, 0.0), self._groups)
        planned = data.noise_planned * self._common
        shape = (self._freedom + self._group_count) / 2
        self.variance = (self._freedom * planned + spread) / 2 / self._random.standard_gamma(shape)
        self.variance = np.maximum(self.variance, _LEAST_VARIANCE)
        # The common factor has a lognormal-like gamma prior of mean 1; the freedom a flat one on its grid.
        ratio = data.noise_planned / self.variance
        rate = 2.0 + self._freedom / 2 * ratio.sum()
        self._common = self._random.gamma(2.0 + self._groups * self._freedom / 2) / rate
        half, scaled = _FREEDOMS / 2, self._common * ratio
        log_density = self._groups * (half * np.log(half) - gammaln(half)) + half * (np.log(scaled) - scaled).sum()
        self._freedom = float(_FREEDOMS[_pick(log_density, self._random)])

    def _draw_scales(self) -> None:
        seen_pairs = self._pair[self._seen]
        for place, effects in enumerate((self._level_row[1:], self._column, seen_pairs)):
            rate = np.dot(effects, effects) / 2 + _EFFECT_FREEDOM / self._auxiliary[place]
            drawn = rate / self._random.standard_gamma((len(effects) + _EFFECT_FREEDOM) / 2)
            self._scales[place] = max(drawn, _LEAST_VARIANCE)
            rate = _EFFECT_SCALE**-2 + _EFFECT_FREEDOM / self._scales[place]
            self._auxiliary[place] = rate / self._random.standard_gamma((_EFFECT_FREEDOM + 1) / 2)


def _sums(index: Index, values: Column, length: int) -> Column:
    """Sum the values of each index."""
    return np.bincount(index, values, length).astype(np.float64)


def _pick(log_density: Column, generator: np.random.Generator) -> int:
    share = np.cumsum(np.exp(log_density - log_density.max()))
    return int(np.searchsorted(share, generator.random() * share[-1]))

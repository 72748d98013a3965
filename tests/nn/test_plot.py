"""Pictures of learning: what the artists hold is what was to be shown, computed here in other ways."""

from __future__ import annotations

import builtins
import importlib
import io
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from numpy.typing import NDArray

import nn
from autograd import Value, numeric_grad, relu
from nn import plot

mpl.use("Agg")

X, Y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [-1, 1, 1, -1]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Nothing is shown, no setting changes, no figure is left."""
    settings = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == settings
    plt.close("all")


def new_axes() -> Any:
    return Figure().subplots()


def contours(ax: Axes, filled: bool) -> list[Any]:
    return [c for c in ax.collections if isinstance(c, ContourSet) and c.filled is filled]


def scatters(ax: Axes) -> list[Any]:
    return [c for c in ax.collections if isinstance(c, PathCollection)]


def line(ax: Axes, label: str) -> Any:
    (found,) = [each for each in ax.get_lines() if each.get_label() == label]
    return found


def xy(drawn: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in zip(drawn.get_xdata(), drawn.get_ydata(), strict=True)]


def vertices(path: Any) -> NDArray[np.float64]:
    return np.array(path.vertices, dtype=float)


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


class Model:
    """The function itself, for `predict`."""

    def __init__(self, f: Callable[[float, float], Any]) -> None:
        self.f = f

    def predict(self, rows: Sequence[Sequence[float]]) -> list[Any]:
        return [self.f(*row) for row in rows]


# All of them

DRAWINGS: dict[str, Callable[[Axes | None], Axes]] = {
    "activations": lambda ax: plot.activations(ax=ax),
    "decision_boundary": lambda ax: plot.decision_boundary(Model(lambda a, b: a - b), X, Y, ax=ax),
    "history": lambda ax: plot.history(nn.History(loss=[1.0, 0.5]), ax=ax),
    "gradient_flow": lambda ax: plot.gradient_flow(nn.MLP(2, [2, 1]), X, Y, "hinge", ax=ax),
    "loss_surface": lambda ax: plot.loss_surface(lambda a, b: a * a + b * b, ax=ax),
    "descent_path": lambda ax: plot.descent_path(lambda a, b: a * a + b * b, [(1.0, 1.0), (0.5, 0.5)], ax=ax),
    "sensitivity": lambda ax: plot.sensitivity(nn.MLP(2, [2, 1]), X, ax=ax),
}
each_drawing = pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)


@each_drawing
def test_draws_on_the_axes_given_and_returns_them(draw: Callable[[Axes | None], Axes]) -> None:
    ax = new_axes()
    assert draw(ax) is ax
    assert ax.has_data()
    assert ax.get_xlabel()
    assert not plt.get_fignums()


@each_drawing
def test_makes_one_new_figure_that_can_be_saved(draw: Callable[[Axes | None], Axes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("shown"))
    ax: Any = draw(None)
    assert plt.get_fignums() == [1]
    file = io.BytesIO()
    ax.figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")
    assert draw(None) is not ax


@each_drawing
def test_without_matplotlib_it_says_what_to_install(draw: Callable[[Axes | None], Axes], monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "matplotlib")
    with pytest.raises(ImportError, match=r'pip install "scalar-autograd\[plot\]"'):
        draw(None)


@each_drawing
def test_wants_one_axes(draw: Callable[[Axes | None], Axes]) -> None:
    several: Any = Figure().subplots(1, 2)
    with pytest.raises(TypeError, match=r"ax must be Axes of Matplotlib.*ndarray"):
        draw(several)


def _hide(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    real, module = builtins.__import__, importlib.import_module

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setattr("nn.plot.canvas.import_module", lambda name: refuse(name) if name.split(".")[0] == package else module(name))


# Activations


def test_activations_and_their_derivatives() -> None:
    ax = plot.activations(["sigmoid", "tanh"], x_range=(-2.0, 3.0))
    formulas: list[tuple[str, Any, Any]] = [
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        ("tanh", np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    ]
    for name, f, slope in formulas:
        curve, derivative = line(ax, name), line(ax, f"derivative of {name}")
        x = np.array(curve.get_xdata())
        assert (x[0], x[-1]) == (-2.0, 3.0)
        np.testing.assert_allclose(np.array(curve.get_ydata()), f(x), rtol=1e-13)
        np.testing.assert_allclose(np.array(derivative.get_ydata()), slope(x), rtol=1e-12)
        assert curve.get_color() == derivative.get_color()
        assert (curve.get_linestyle(), derivative.get_linestyle()) == ("-", "--")
    assert line(ax, "sigmoid").get_color() != line(ax, "tanh").get_color()
    assert legend(ax) == ["sigmoid", "derivative of sigmoid", "tanh", "derivative of tanh"]


def test_one_activation_or_a_function_of_ones_own_and_no_derivatives() -> None:
    def bent(x: Any) -> Any:
        return relu(x) + 1.0

    assert legend(plot.activations("elu", derivatives=False)) == ["elu"]
    ax = plot.activations(bent, derivatives=False)
    assert legend(ax) == ["bent"]
    assert xy(line(ax, "bent"))[-1] == (4.0, 5.0)


@pytest.mark.parametrize(("names", "message"), [("rleu", "did you mean 'relu'"), (["tanh", None], "None"), ("softmax", "whole layer")])
def test_activations_that_do_not_exist(names: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot.activations(names)
    assert not plt.get_fignums()


@pytest.mark.parametrize("x_range", [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0), (1.0, 2.0, 3.0)])
def test_ranges_go_up_and_are_finite(x_range: Any) -> None:
    with pytest.raises(ValueError, match="x_range must be two finite numbers"):
        plot.activations(x_range=x_range)
    with pytest.raises(ValueError, match="x_range must be two finite numbers"):
        plot.loss_surface(lambda a, b: a, x_range)
    with pytest.raises(ValueError, match="y_range must be two finite numbers"):
        plot.loss_surface(lambda a, b: a, (0.0, 1.0), x_range)


# Decision boundaries


@pytest.mark.parametrize("threshold", [0.0, 0.5, -2.0])
def test_the_boundary_is_where_the_score_is_at_the_threshold(threshold: float) -> None:
    ax = plot.decision_boundary(Model(lambda a, b: 3.0 * (a + 2.0 * b - 1.2) + threshold), X, Y, threshold=threshold)
    (boundary,) = contours(ax, filled=False)
    assert list(boundary.levels) == [threshold]
    points = np.concatenate([vertices(path) for path in boundary.get_paths()])
    assert len(points) > 20
    np.testing.assert_allclose(points @ [1.0, 2.0], 1.2, atol=1e-12)


def test_shades_reach_as_far_as_the_scores_of_the_data_on_both_sides() -> None:
    (shades,) = contours(plot.decision_boundary(Model(lambda a, b: 5.0 * a - b), X, Y, threshold=0.5), filled=True)
    assert (shades.levels[0], shades.levels[-1]) == pytest.approx((-4.0, 5.0))
    assert shades.levels[len(shades.levels) // 2] == 0.5
    low, high = shades.cmap(0.0), shades.cmap(1.0)
    assert low[2] > low[0]  # blue
    assert high[0] > high[2]  # red


def test_the_data_is_drawn_by_class() -> None:
    ax = plot.decision_boundary(Model(lambda a, b: a), np.array(X), np.array(Y))
    negative, positive = scatters(ax)
    assert np.array(negative.get_offsets()).tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert np.array(positive.get_offsets()).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert [to_hex(points.get_facecolor()[0]) for points in (negative, positive)] == list(plot.canvas.PALETTE[:2])
    assert not np.array_equal(vertices(negative.get_paths()[0]), vertices(positive.get_paths()[0]))  # markers, for eyes and printers
    assert legend(ax) == ["y = -1", "y = 1"]


def test_the_picture_goes_a_little_beyond_the_data() -> None:
    ax = plot.decision_boundary(Model(lambda a, b: a), [[1.0, 10.0], [3.0, 30.0]], [0, 1])
    assert ax.get_xlim() == pytest.approx((0.7, 3.3))
    assert ax.get_ylim() == pytest.approx((7.0, 33.0))


def test_a_constant_score_has_no_boundary() -> None:
    assert contours(plot.decision_boundary(Model(lambda a, b: 0.0), X, Y), filled=False) == []
    assert contours(plot.decision_boundary(Model(lambda a, b: -2.0), [[1.0, 1.0]], [1]), filled=False) == []


def test_of_several_outputs_each_class_has_the_region_where_it_wins() -> None:
    """The largest of a, b and 1 - a - b, in the triangle that they make."""
    ax = plot.decision_boundary(Model(lambda a, b: [a, b, 1.0 - a - b]), X, [0, 1, 2, 0])
    regions = contours(ax, filled=True)
    assert len(regions) == 3
    centres = [(0.9, 0.1), (0.1, 0.9), (0.05, 0.05)]
    for k, region in enumerate(regions):
        inside = [region.get_paths()[0].contains_point(centre) for centre in centres]
        assert inside == [j == k for j in range(3)]
    assert legend(ax) == ["y = 0", "y = 1", "y = 2"]


def test_a_class_that_never_wins_has_no_region() -> None:
    assert len(contours(plot.decision_boundary(Model(lambda a, b: [1.0, 0.0]), X, [0, 1, 0, 1]), filled=True)) == 1


def test_one_hot_targets_are_classes() -> None:
    ax = plot.decision_boundary(Model(lambda a, b: [a, b]), X, [[1, 0], [0, 1], [0, 1], [1, 0]])
    assert legend(ax) == ["y = 0", "y = 1"]


def test_a_module_is_asked_as_in_use_and_not_changed() -> None:
    model = nn.Sequential(nn.Linear(2, 4, "relu", 0), nn.Dropout(0.5), nn.Linear(4, 1, None, 1))
    state = model.state_dict()
    first, second = (contours(plot.decision_boundary(model, X, Y), filled=True)[0].get_paths() for _ in range(2))
    assert all(np.array_equal(vertices(a), vertices(b)) for a, b in zip(first, second, strict=True))
    assert model.state_dict() == state
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize(
    ("model", "data", "y", "error", "message"),
    [
        (Model(lambda a, b: a), [[1.0, 2.0, 3.0]], [1], ValueError, r"rows of 2 numbers.*\(got 3\)"),
        (Model(lambda a, b: a), [1.0, 2.0], [1, 1], ValueError, r"rows of 2 numbers.*\(got 1\)"),
        (Model(lambda a, b: a), X, [1, 2], ValueError, "one entry per row"),
        (Model(lambda a, b: a), [[float(i), 0.0] for i in range(9)], range(9), ValueError, "at most 8 of them"),
        (Model(lambda a, b: math.nan), X, Y, ValueError, r"finite numbers.*\[0.0, 0.0\].*nan"),
        (Model(lambda a, b: [a, math.inf]), X, [0, 1, 1, 0], ValueError, "finite numbers"),
        (lambda a, b: a, X, Y, TypeError, "predict"),
    ],
)
def test_what_is_not_in_the_plane(model: Any, data: Any, y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot.decision_boundary(model, data, y)
    assert not plt.get_fignums()


# Histories


def test_a_history_with_everything() -> None:
    history = nn.History(
        loss=[3.0, 2.0, 1.0],
        metric=[0.1, 0.5, 0.9],
        validation_loss=[3.5, 2.5, 2.7],
        validation_metric=[0.2, 0.4, 0.3],
        metric_name="accuracy",
    )
    ax = history.plot()
    assert xy(line(ax, "loss")) == [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]
    assert xy(line(ax, "validation loss")) == [(1.0, 3.5), (2.0, 2.5), (3.0, 2.7)]
    assert xy(line(ax, "best epoch")) == [(2.0, 0.0), (2.0, 1.0)]
    left, right = ax.figure.axes
    dashed = {each.get_label() for each in (*left.get_lines(), *right.get_lines()) if each.get_linestyle() == "--"}
    assert dashed == {"validation loss", "validation accuracy"}
    assert xy(line(right, "accuracy")) == [(1.0, 0.1), (2.0, 0.5), (3.0, 0.9)]
    assert xy(line(right, "validation accuracy")) == [(1.0, 0.2), (2.0, 0.4), (3.0, 0.3)]
    assert (left.get_ylabel(), right.get_ylabel(), left.get_xlabel()) == ("loss", "accuracy", "epoch")
    assert legend(right) == ["loss", "validation loss", "best epoch", "accuracy", "validation accuracy"]


def test_a_history_of_losses_alone() -> None:
    ax = plot.history(nn.History(loss=[1.0, 0.1, 0.01]), log=True)
    assert ax.figure.axes == [ax]
    assert ax.get_yscale() == "log"
    assert legend(ax) == ["loss"]
    with pytest.raises(ValueError, match="no epochs"):
        plot.history(nn.History())


# Gradient flow


def numerical_gradient(model: nn.Module, loss: str) -> dict[str, float]:
    """The derivative of the mean loss in each parameter, by differences."""
    names = list(model.named_parameters())
    f = nn.row_loss(model, loss)
    gradient = numeric_grad(lambda p: sum(f(p, x, y) for x, y in zip(X, Y, strict=True)) / len(X), [p.data for p in model.parameters()])
    return dict(zip(names, gradient, strict=True))


def test_gradient_flow_is_the_mean_size_of_the_numerical_gradient_in_each_layer() -> None:
    model = nn.MLP(2, [3, 2, 1], activation="tanh", seed=1)
    gradient = numerical_gradient(model, "logistic")
    expected: list[Any] = []
    for i, count in enumerate((6, 6, 2)):
        weights = [abs(g) for name, g in gradient.items() if name.startswith(f"layers.{i}.") and ".w." in name]
        assert len(weights) == count
        expected.append((i + 1.0, pytest.approx(sum(weights) / count, rel=1e-6)))
    ax = plot.gradient_flow(model, X, Y, "logistic", label="tanh")
    assert xy(line(ax, "tanh")) == expected
    assert ax.get_yscale() == "log"


def test_several_models_share_the_axes_in_their_own_colours() -> None:
    ax = new_axes()
    for activation in ("sigmoid", "tanh", "relu"):
        plot.gradient_flow(nn.MLP(2, [2] * 4 + [1], activation=activation, seed=1), X, Y, "hinge", label=activation, ax=ax)
    assert legend(ax) == ["sigmoid", "tanh", "relu"]
    assert [line(ax, name).get_color() for name in legend(ax)] == list(plot.canvas.PALETTE[:3])


def test_layers_without_any_gradient_are_crossed_out() -> None:
    """With all weights 0 nothing reaches the layers before the last, and the last sees only zeros."""
    ax: Any = plot.gradient_flow(nn.MLP(2, [3, 1], init="zeros"), X, Y, "hinge")
    flow, crosses = ax.get_lines()
    assert np.isnan(np.array(flow.get_ydata())).all()
    assert list(crosses.get_xdata()) == [1, 2]
    ax.figure.canvas.draw()


def test_gradient_flow_leaves_the_model_as_it_is() -> None:
    model = nn.Sequential(nn.Linear(2, 3, "tanh", 0), nn.BatchNorm(3), nn.Linear(3, 1, None, 1))
    for p in model.parameters():
        p.grad = 7.0
    state, parameters = model.state_dict(), model.parameters()
    ax: Any = plot.gradient_flow(model, X, Y, "hinge")
    assert list(ax.get_lines()[0].get_xdata()) == [1, 2]  # batch normalisation has no weights
    assert model.state_dict() == state
    assert [id(p) for p in model.parameters()] == [id(p) for p in parameters]
    assert {p.grad for p in model.parameters()} == {7.0}


def test_gradient_flow_of_one_layer_and_of_a_loss_of_ones_own() -> None:
    neuron = nn.Neuron.of([2.0, -1.0])
    ax = plot.gradient_flow(neuron, [[1.0, 3.0]], [0.0], lambda y_hat, y: (y_hat - y) * 5.0)
    assert xy(ax.get_lines()[0]) == [(1.0, 10.0)]


def test_gradient_flow_refuses_what_has_none() -> None:
    with pytest.raises(ValueError, match="no weights"):
        plot.gradient_flow(nn.Sequential(nn.Activation("relu")), X, Y, "hinge")
    with pytest.raises(ValueError, match=r"y\[1\] must be -1 or 1"):
        plot.gradient_flow(nn.MLP(2, [1]), X, [1, 0, 1, 1], "hinge")
    with pytest.raises(ValueError, match="loss must be one of"):
        plot.gradient_flow(nn.MLP(2, [1]), X, Y, "hingo")
    assert not plt.get_fignums()


# Loss surfaces


def bowl(a: float, b: float) -> float:
    return a * a + b * b


def test_the_rings_of_a_bowl_are_evenly_spaced_circles() -> None:
    ax = plot.loss_surface(bowl, (-2.0, 2.0), (-2.0, 2.0), levels=9, resolution=81)
    (lines,) = contours(ax, filled=False)
    roots = np.sqrt(lines.levels)
    np.testing.assert_allclose(np.diff(roots), roots[1] - roots[0], atol=1e-12)
    assert (lines.levels[0], lines.levels[-1]) == pytest.approx((0.0, 8.0))
    for level, path in list(zip(lines.levels, lines.get_paths(), strict=True))[1:5]:
        np.testing.assert_allclose(np.hypot(*vertices(path).T), math.sqrt(level), atol=1e-3)


def test_levels_of_ones_own_and_functions_of_values() -> None:
    ax = plot.loss_surface(lambda a, b: Value(a) * 2.0 + b, levels=[1.0, -1.0, 0.0])
    (lines,) = contours(ax, filled=False)
    assert list(lines.levels) == [-1.0, 0.0, 1.0]
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        np.testing.assert_allclose(vertices(path) @ [2.0, 1.0], level, atol=1e-12)


def test_the_higher_the_darker() -> None:
    (shades,) = contours(plot.loss_surface(bowl), filled=True)
    assert sum(shades.cmap(0.0)[:3]) > sum(shades.cmap(0.5)[:3]) > sum(shades.cmap(1.0)[:3])


def test_a_plain_and_a_surface_with_holes() -> None:
    assert contours(plot.loss_surface(lambda a, b: 3.0), filled=False) == []
    ax = plot.loss_surface(lambda a, b: math.sqrt(a) if a > 0.0 else math.nan if a < -0.5 else math.inf)
    assert all(vertices(path)[:, 0].min() >= 0.0 for path in contours(ax, filled=True)[0].get_paths() if len(vertices(path)))
    with pytest.raises(ValueError, match="finite somewhere"):
        plot.loss_surface(lambda a, b: math.nan)


@pytest.mark.parametrize("more", [{"levels": 1}, {"levels": [1.0]}, {"resolution": 1}, {"resolution": 2.5}])
def test_settings_of_a_surface(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        plot.loss_surface(bowl, **more)
    assert not plt.get_fignums()


def test_a_path_goes_through_its_points_on_the_surface() -> None:
    ax = plot.descent_path(bowl, [(1.0, 0.5), (Value(0.5), Value(0.25)), [0.0, 0.0]], label="descent")
    assert xy(line(ax, "descent")) == [(1.0, 0.5), (0.5, 0.25), (0.0, 0.0)]
    path, first, last = ax.get_lines()
    assert (first.get_marker(), xy(first)) == ("o", [(1.0, 0.5)])
    assert (last.get_marker(), xy(last)) == ("*", [(0.0, 0.0)])
    assert len(contours(ax, filled=True)) == 1
    assert ax.get_xlim() == pytest.approx((-0.15, 1.15))
    assert legend(ax) == ["descent"]
    assert path.get_color() == first.get_color() == last.get_color()


def test_several_paths_share_one_surface_and_one_that_diverges_leaves_the_picture() -> None:
    ax = plot.descent_path(bowl, [(1.0, 1.0), (0.0, 0.0)], label="right", x_range=(-2.0, 2.0), y_range=(-1.0, 2.0))
    plot.descent_path(bowl, [(1.0, 1.0), (-50.0, 1e300)], label="large", ax=ax)
    assert len(contours(ax, filled=True)) == 1
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2.0, 2.0), (-1.0, 2.0))
    assert line(ax, "right").get_color() != line(ax, "large").get_color()
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("path", "message"),
    [([], "empty"), ([(1.0, 2.0), (1.0,)], r"path\[1\]"), ([1.0], r"path\[0\]"), ([(0.0, math.inf)], "before|where it diverges")],
)
def test_paths_that_are_none(path: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot.descent_path(bowl, path)
    assert not plt.get_fignums()


# Sensitivity


def bars(ax: Any) -> dict[str, float]:
    return {label.get_text(): bar.get_width() for label, bar in zip(ax.get_yticklabels(), ax.patches, strict=True)}


def test_the_sensitivity_of_a_linear_model_is_the_size_of_its_weights() -> None:
    ax = plot.sensitivity(nn.Neuron.of([0.5, -3.0, 0.0]), [[1.0, 2.0, 3.0], [-4.0, 5.0, 6.0]], names=["a", "b", "c"])
    assert bars(ax) == {"c": 0.0, "a": 0.5, "b": 3.0}
    assert list(bars(ax)) == ["c", "a", "b"]  # from below


def test_sensitivity_agrees_with_differences() -> None:
    model = nn.MLP(2, [3, 2], activation="tanh", seed=2).eval()
    for output in (0, 1):
        slopes = np.array([numeric_grad(lambda x, k=output: model.predict([x])[0][k], row) for row in X])
        drawn = bars(plot.sensitivity(model, np.array(X), output=output))
        assert [drawn["x0"], drawn["x1"]] == pytest.approx(np.abs(slopes).mean(axis=0).tolist(), rel=1e-6)


def test_sensitivity_is_that_of_the_model_in_use_and_leaves_it_as_it_is() -> None:
    model = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm(2), nn.Linear(2, 1, None, 0))
    state, w = model.state_dict(), [p.data for p in model[2].neurons[0].w]
    drawn = bars(plot.sensitivity(model, X))
    assert [drawn["x0"], drawn["x1"]] == pytest.approx([abs(x) / math.sqrt(1.0 + 1e-5) for x in w])
    assert model.state_dict() == state
    assert all(module.training for module in model.modules())
    assert {p.grad for p in model.parameters()} == {0.0}


def test_a_model_that_does_not_look_has_no_sensitivity() -> None:
    class Deaf(nn.Module):
        def forward(self, x: Any) -> Any:
            return 1.0

    assert bars(plot.sensitivity(Deaf(), X)) == {"x0": 0.0, "x1": 0.0}


def test_sensitivity_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"names must hold one name for each of the 2 inputs \(got 1\)"):
        plot.sensitivity(nn.MLP(2, [1]), X, ["a"])
    for output in (None, 2, -1):
        with pytest.raises(ValueError, match=r"which of the 2 outputs is meant, from 0 to 1"):
            plot.sensitivity(nn.MLP(2, [2]), X, output=output)
    assert not plt.get_fignums()


@pytest.mark.parametrize("x", [math.nan, math.inf])
def test_what_is_not_finite_has_no_place_in_a_picture(x: float) -> None:
    with pytest.raises(ValueError, match="threshold is"):
        plot.decision_boundary(Model(lambda a, b: a), X, Y, threshold=x)
    with pytest.raises(ValueError, match="threshold is"):
        plot.TrainingGif(Model(lambda a, b: a), X, Y, threshold=x)
    with pytest.raises(ValueError, match="levels is"):
        plot.loss_surface(lambda a, b: a, levels=[0.0, x])

    class Steep(nn.Module):
        def forward(self, row: Any) -> Any:
            return row[0] + row[1] * x

    with pytest.raises(ValueError, match="the derivative of the output in x1 must be finite to be drawn"):
        plot.sensitivity(Steep(), X)
    assert not plt.get_fignums()


def test_a_history_without_a_best_epoch() -> None:
    ax = plot.history(nn.History(loss=[1.0, 0.5], validation_loss=[math.nan, math.nan]))
    assert legend(ax) == ["loss", "validation loss"]


# The film


def opened(gif: bytes) -> Any:
    image = pytest.importorskip("PIL.Image")
    return image.open(io.BytesIO(gif))


def trained(epochs: int, **more: Any) -> tuple[nn.Module, plot.TrainingGif]:
    model = nn.Neuron(2, None, rng=0)
    film = plot.TrainingGif(model, X, [-1, -1, 1, 1], resolution=7, **more)
    nn.fit(model, X, [-1, -1, 1, 1], loss="hinge", epochs=epochs, on_epoch=film, progress=False)
    return model, film


def test_a_film_has_a_frame_for_each_recorded_epoch_and_one_at_each_end(tmp_path: Path) -> None:
    _, film = trained(12, every=4)
    assert film.epochs == [4, 8, 12]
    path = film.save(tmp_path / "training.gif")
    picture = opened(Path(path).read_bytes())
    assert (picture.format, picture.n_frames, picture.size) == ("GIF", 5, (480, 360))
    assert picture.info["loop"] == 0
    durations = []
    for i in range(5):
        picture.seek(i)
        durations.append(picture.info["duration"])
    assert durations == [150] * 4 + [2500]
    assert not plt.get_fignums()


def test_the_film_shows_how_the_boundary_moves() -> None:
    """Blue where the score is below 0: each frame has the shades that the model then had."""
    model, film = trained(60, every=60)
    w, b = [p.data for p in model.parameters()][:2], model.parameters()[2].data
    assert w[0] > abs(w[1])
    assert -w[0] < b < 0.0
    picture = opened(film.gif())
    picture.seek(picture.n_frames - 1)
    pixels = np.asarray(picture.convert("RGB"), dtype=int)
    height, width, _ = pixels.shape
    left, right = pixels[height // 2, width // 4], pixels[height // 2, width * 7 // 8]
    assert left[2] > left[0]
    assert right[0] > right[2]


def test_long_trainings_are_thinned_out() -> None:
    _, film = trained(40, max_frames=6)
    assert film.every == 8
    assert film.epochs == [8, 16, 24, 32, 40]
    assert opened(film.gif()).n_frames == 7


def test_a_film_before_training_and_in_a_notebook() -> None:
    film = plot.TrainingGif(nn.Neuron(2, None, rng=0), X, Y, resolution=4)
    assert film.epochs == []
    assert opened(film.gif()).n_frames == 2
    assert film._repr_html_().startswith('<img alt="The decision boundary while training" src="data:image/gif;base64,R0lGOD')


def test_what_a_film_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = nn.Neuron(2, None, rng=0)
    for more in ({"every": 0}, {"max_frames": 0}, {"every": 1.5}, {"resolution": 1}):
        with pytest.raises(ValueError, match="must be"):
            plot.TrainingGif(model, X, Y, **more)
    with pytest.raises(ValueError, match="rows of 2 numbers"):
        plot.TrainingGif(nn.Neuron(1), [[1.0]], [1])
    with pytest.raises(ValueError, match=r"must end in \.gif"):
        plot.TrainingGif(model, X, Y).save(tmp_path / "training.png")
    assert list(tmp_path.iterdir()) == []
    _hide(monkeypatch, "PIL")
    with pytest.raises(ImportError, match="pip install pillow"):
        plot.TrainingGif(model, X, Y)

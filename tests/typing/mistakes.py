"""What type checkers have to object to, each line by itself. A comment that suppresses nothing is an error, too. This never runs."""

from __future__ import annotations

import autograd
import nn
from autograd import Value, compile, draw, grad, gradcheck, maximum, numeric_grad, sin, steps

x = Value(2.0)
model = nn.MLP(2, [1])

Value("a")  # type: ignore
sin("a")  # type: ignore
sin(x, x)  # type: ignore
maximum(x, "a")  # type: ignore
autograd.sum("abc")  # type: ignore
_ = x + "a"  # type: ignore
_ = x < "a"  # type: ignore
x.expp()  # type: ignore
x.relu(1.0)  # type: ignore
_ = autograd.nowhere  # type: ignore
_ = nn.nowhere  # type: ignore
grad(3.0)  # type: ignore
grad(sin, argnums="x")  # type: ignore
grad(sin)(1.0).backward()  # type: ignore
numeric_grad(sin, 1.0, method="middle")  # type: ignore
gradcheck(sin, 1.0, order=3)  # type: ignore
draw(x, direction="XX")  # type: ignore
draw(1.0)  # type: ignore
steps([x])  # type: ignore
compile(lambda p, row: p, 1.0, 1.0, backend="nmpy")  # type: ignore
compile(lambda p, row: p, 1.0, 1.0).value_and_grad(1.0, [1.0], reduction="max")  # type: ignore
model("a")  # type: ignore
nn.MLP(2, [1], activation="rel")  # type: ignore
nn.MLP(2, [1], init="he")  # type: ignore
nn.Activation("softmin")  # type: ignore
nn.fit(model, [[1.0, 2.0]], [1.0], loss="hinge2")  # type: ignore
nn.fit(model, [[1.0, 2.0]], [1.0], loss="hinge", optimizer="adam")  # type: ignore
nn.fit(model, [[1.0, 2.0]], [1.0], loss="hinge", compiled="yes")  # type: ignore
nn.linear.LinearClassifier("mse")  # type: ignore

"""Pictures of learning, by Matplotlib: activations, decision boundaries, histories, gradients, loss surfaces, sensitivities.

Each function draws on `ax`, or on a new figure, and returns the Axes: whatever they offer, a title or a limit, is then set there. Nothing
is shown and no setting of Matplotlib is changed. Colours are those of Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from .boundary import decision_boundary as decision_boundary
from .curves import activations as activations
from .curves import history as history
from .film import TrainingGif as TrainingGif
from .gradients import gradient_flow as gradient_flow
from .gradients import sensitivity as sensitivity
from .surface import descent_path as descent_path
from .surface import loss_surface as loss_surface

"""How networks look, and what they read and predict. Imports parameters, checks, and what networks there are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ... import _types as t
from ..._checks import check_dilation, check_int, check_positions, check_real, check_units, check_widths
from ..._parameters import NETWORK, READING, auto_or, choice, group, none_or, param
from ...networks import ATTENTIONS, CELLS, FEEDBACK_CELLS
from .rules import NOT_NEGATIVE, RATE, SHARE

__all__ = [
    "NonRecurrentNetwork",
    "Convolutions",
    "Decoder",
    "EachStep",
    "Feedback",
    "FutureFeatures",
    "Head",
    "MemoryCell",
    "MinimalRecurrence",
    "MissingValues",
    "OutputCell",
    "Reading",
    "Recurrence",
    "Reservoir",
    "Segment",
    "Sequences",
    "Width",
]

MAX_BLOCKS = 20  # the last one's dilation is half a million steps
DECODER_CELLS = tuple(name for name in FEEDBACK_CELLS if CELLS[name].states)


# ---------------------------------------------------------------------- how the network looks


@group(NETWORK)
class Width:
    """How large the network is.

    Parameters
    ----------
    units
        State size; a tuple stacks layers.
    """

    units: t.Layers = param(default=32, rule=check_units, kw_only=False)


@group(NETWORK)
class MemoryCell:
    """What an LSTM has beside other recurrent networks.

    Parameters
    ----------
    forget_bias
        Initial bias of the forget gate.
    peephole
        Let the gates see the memory cell, through one weight for each gate and unit that starts from 0 (Gers et al.,
        2002): helps to tell how long ago something was.

    References
    ----------
    Gers, F., Schraudolph, N. and Schmidhuber, J. (2002). Learning precise timing with LSTM recurrent networks. Journal
    of Machine Learning Research 3, 115-143.
    """

    forget_bias: float = param(default=1.0, rule=check_real)
    peephole: bool = param(default=False)


@group(NETWORK)
class Recurrence:
    """The axes of a recurrent network.

    Parameters
    ----------
    activation
        Squashes the candidate state.
    bidirectional
        Read each window in both directions. The backward states see later steps, but only of the window: nothing after
        the cutoff is read.
    merge_mode
        Whether the states of the two directions are concatenated, added, or averaged. The last two halve the width of
        what the next layer reads.
    residual
        Add the input of each recurrent layer from the second on to its output, so that gradients have a way past it (He
        et al., 2016). All layers must have the same number of units. To the last layer's state the input at its last
        step is added.
    transition_depth
        Layers from one state to the next. Above 1, the state that the cell computes goes through further dense layers
        of as many units, with the same `activation`, before it is handed on (Pascanu et al., 2014). The memory cell of
        an LSTM goes past them; the state of a GRU does not, and fades sooner.
    input_layers, output_layers
        Widths of dense layers with the same `activation`: those that each step (or segment) goes through before the
        first recurrent layer, and those between the last state and the targets (Pascanu et al., 2014).
    dilation
        How many recurrent steps the state goes back, in all layers or in each (Chang et al., 2017). Above 1, a layer
        reads every k-th step as a sequence of its own: shorter ones, which reach further back and take Keras less time.
        Let the first of several layers go one step back, and the dilation grow: ``units=(32, 32, 32), dilation=(1, 2,
        4)``.
    dropout
        Rate of dropout after each recurrent layer.
    recurrent_dropout
        Rate of dropout on the recurrent state.
    kernel_initializer
        Initial input kernels.
    recurrent_initializer
        Initial recurrent kernels.

    References
    ----------
    He, K. et al. (2016). Deep residual learning for image recognition. CVPR.

    Pascanu, R., Gulcehre, C., Cho, K. and Bengio, Y. (2014). How to construct deep recurrent neural networks. ICLR.

    Chang, S. et al. (2017). Dilated recurrent neural networks. NeurIPS.
    """

    activation: t.Activation = param(default="tanh")
    bidirectional: bool = param(default=False)
    merge_mode: t.MergeMode = param(default="concat")
    residual: bool = param(default=False)
    transition_depth: int = param(default=1, rule=check_int)
    input_layers: Sequence[int] = param(default=(), rule=check_widths)
    output_layers: Sequence[int] = param(default=(), rule=check_widths)
    dilation: t.Layers = param(default=1, rule=check_dilation)
    dropout: float = param(default=0.0, rule=RATE)
    recurrent_dropout: float = param(default=0.0, rule=RATE)
    kernel_initializer: t.KernelInitializer = param(default="glorot_uniform")
    recurrent_initializer: t.KernelInitializer = param(default="orthogonal")


@group(NETWORK)
class MinimalRecurrence(Recurrence):
    """The axes of a recurrent network whose state goes through no weights.

    Parameters
    ----------
    activation
        Of `input_layers` and `output_layers`; the candidate state is linear.
    transition_depth
        Must be 1: there is nothing but the gates from one state to the next.
    recurrent_dropout
        Must be 0: no state goes through weights.
    recurrent_initializer
        Has nothing to draw: there are no recurrent kernels.
    """


@group(NETWORK)
class Segment:
    """How many steps are read together.

    Parameters
    ----------
    segment
        Steps of a window that the network reads together. A long window read in segments trains faster and remembers
        further back. If the steps do not divide, the first segment is filled up with zeros on the left.
    """

    segment: int = param(default=1, rule=check_int)


@group(NETWORK)
class Feedback:
    """The hidden layer of a network that reads its own outputs.

    Parameters
    ----------
    activation
        Of the hidden layer.
    dropout
        Rate of dropout between layers, and before the last layer.
    """

    activation: t.Activation = param(default="tanh")
    dropout: float = param(default=0.0, rule=RATE)


@group(NETWORK)
class OutputCell(Feedback):
    """What computes the hidden layer of an output-recurrent network.

    Parameters
    ----------
    cell
        What computes the hidden layer: dense layers, or recurrent ones. "dense" is Jordan's network, whose only memory
        is its last output.
    """

    cell: t.FeedbackCell = param(default="dense", rule=choice(*FEEDBACK_CELLS), kw_only=False)


@group(NETWORK)
class Decoder(Feedback):
    """What computes an encoder and its decoder.

    Parameters
    ----------
    cell
        Of the encoder and the decoder.
    attention
        Let the decoder look back at the encoder's state after each step (or segment), and not at the last only. The
        scores are ``v tanh(h A + e B)`` (Bahdanau et al., 2015) or ``h e`` (Luong et al., 2015), h being the decoder's
        state, e one of the encoder's.
    activation
        Squashes the candidate state.

    References
    ----------
    Bahdanau, D., Cho, K. and Bengio, Y. (2015). Neural machine translation by jointly learning to align and translate.
    ICLR.

    Luong, T., Pham, H. and Manning, C. (2015). Effective approaches to attention-based neural machine translation.
    EMNLP.
    """

    cell: t.DecoderCell = param(default="gru", rule=choice(*DECODER_CELLS), kw_only=False)
    attention: t.Attention | None = param(default=None, rule=none_or(choice(*ATTENTIONS)))


@group(NETWORK)
class NonRecurrentNetwork:
    """The layers of a network without recurrence.

    Parameters
    ----------
    activation
        Of the hidden layers.
    dropout
        Rate of dropout after each hidden layer.
    jit_compile
        On TensorFlow: compile the training step with XLA. "auto" is False here.
    """

    activation: t.NonRecurrentActivation = param(default="relu")
    dropout: float = param(default=0.0, rule=RATE)


@group(NETWORK)
class Convolutions(NonRecurrentNetwork):
    """The blocks of a temporal convolutional network.

    Parameters
    ----------
    kernel_size
        Steps that a convolution reads, 2**i steps apart in block i.
    n_blocks
        Residual blocks of two convolutions. "auto": as many as let the last step see the whole window.
    activation
        Of the convolutions and blocks.
    dropout
        Rate of dropout after each convolution.
    """

    kernel_size: int = param(default=3, rule=check_int)
    n_blocks: int | t.Auto = param(default="auto", rule=auto_or(partial(check_int, high=MAX_BLOCKS)))


@group(NETWORK)
class Reservoir:
    """A random network that is never trained, and what reads it.

    Parameters
    ----------
    units
        Neurons of the reservoir.
    spectral_radius
        Largest absolute eigenvalue of the recurrent weights. Below 1 the state forgets what it began with, as a rule;
        larger ones remember longer.
    leak_rate
        Share of the state, in (0, 1], that each step replaces: small for slow series.
    input_scaling
        Bound of the input weights, times the square root of the inputs of a step. Large ones make the reservoir less
        linear.
    bias_scaling
        Bound of the neurons' biases.
    density
        Share of the neurons, in (0, 1], that each neuron is fed by: one of them at least.
    alpha
        Ridge penalty on the readout: the mean squared error plus `alpha` times the squared coefficients is minimised,
        whatever the number of windows (`Ridge` of scikit-learn with alpha times the sum of weights).
    """

    units: int = param(default=200, rule=check_int, kw_only=False)
    spectral_radius: float = param(default=0.9, rule=NOT_NEGATIVE)
    leak_rate: float = param(default=1.0, rule=SHARE)
    input_scaling: float = param(default=1.0, rule=NOT_NEGATIVE)
    bias_scaling: float = param(default=0.2, rule=NOT_NEGATIVE)
    density: float = param(default=0.1, rule=SHARE)
    alpha: float = param(default=1e-4, rule=NOT_NEGATIVE)


@group(NETWORK)
class Head:
    """How the last layer begins.

    Parameters
    ----------
    head_initializer
        Initial kernel of the last dense layer. With "zeros" an untrained network predicts 0: on windows less their last
        value that is the persistence forecast.
    """

    head_initializer: t.HeadInitializer = param(default="glorot_uniform")


# ---------------------------------------------------------------------- what it reads and predicts


@group(READING)
class MissingValues:
    """How missing values are read.

    Parameters
    ----------
    missing_indicator
        Missing values inside a window are replaced by the feature's mean over the training windows, and a further input
        channel says where. "auto" gives this channel to the features that have missing values in `fit`, True to all;
        False refuses missing values.
    """

    missing_indicator: t.AutoBool = param(default="auto")


@group(READING)
class Reading(MissingValues):
    """How an array is read as windows.

    Parameters
    ----------
    n_steps
        Steps in a row of a 2-D X; None reads each column as one step.
    """

    n_steps: int | None = param(default=None, rule=partial(check_int, none=True))


@group(READING)
class EachStep:
    """Whether each step has a target.

    Parameters
    ----------
    return_sequences
        Predict a target at each step, from what was read up to it, instead of once after the last: y has shape
        (n_windows, n_steps) or (n_windows, n_steps, n_targets).
    """

    return_sequences: bool = param(default=False)


@group(READING)
class FutureFeatures:
    """What is known ahead.

    Parameters
    ----------
    future_features
        Positions of features that are known ahead, passed moved up by the horizon: the value at a step is that of
        `horizon` steps later (``shift(-horizon)`` in pandas), so that the last ones in a window are those of the steps
        to be predicted. Each of these steps reads its own.
    """

    future_features: Sequence[int] | None = param(default=None, rule=check_positions)


@group(READING)
class Sequences(EachStep):
    """Targets of each step, long sequences, and what is constant over a window.

    Parameters
    ----------
    return_sequences
        Predict a target at each step, from what was read up to it (with `bidirectional`, from the whole window),
        instead of once after the last: y has shape (n_windows, n_steps) or (n_windows, n_steps, n_targets). Needs
        ``segment=1``.
    tbptt_steps
        Truncated back-propagation through time (Williams and Peng, 1990), for sequences too long to be windows: read
        them in pieces of so many steps, each from the state in which the piece before it ended, and step the optimiser
        after each. No gradient flows from one piece into the one before, so what is further back than `tbptt_steps`
        counts only as far as shorter spans taught the network to keep it; and memory is that of a piece, not of a
        sequence. Afterwards sequences of any length can be predicted, and `stream` goes on where the training data end.

        Sequences are read side by side, `batch_size` at a time. Fewer are cut into lanes that fill a batch: a lane
        starts where the one before it ended in the epoch before, and in the first epoch of a fit from zero. With
        ``batch_size=1``, one series is read from its beginning to its end. `batch_size`, and "auto" of
        `early_stopping`, count pieces; `shuffle` shuffles whole sequences. Early stopping watches the last steps of
        each sequence, reached from the steps before them: `validation_fraction` and `validation_gap` are those of
        steps.

        Needs ``return_sequences=True``; not with `bidirectional`, `static_features` or `dilation`, and of Keras's
        backends on TensorFlow only.
    static_features
        Positions of features that are constant over a window, such as properties of a site. Their values at the last
        step set the initial state of each layer through a linear map that is learnt with the rest (Vinyals et al.,
        2015). For a leading step to count as empty, they must be NaN there too.
    static_to
        Whether the static features are inputs at each step as well, or set the initial state only.

    References
    ----------
    Williams, R. J. and Peng, J. (1990). An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories. Neural Computation 2(4), 490-501.

    Vinyals, O. et al. (2015). Show and tell: a neural image caption generator. CVPR.
    """

    tbptt_steps: int | None = param(default=None, rule=partial(check_int, none=True))
    static_features: Sequence[int] | None = param(default=None, rule=check_positions)
    static_to: t.StaticTo = param(default="both")

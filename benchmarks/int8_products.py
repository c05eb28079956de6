r"""Does int8 pay in a graph of plain ops? A dense product in every precision that these can take.

    python benchmarks/int8_products.py

MiniLM's widest product, [tokens, 384] by [384, 1536], on one core: one short text's tokens and a
batch's. Weights in int8 have a scale a column; `QuantizedMatMul`, the one product of int8 numbers
whose kernel every TensorFlow has, takes one scale a tensor.
"""

import os
import time
from collections.abc import Callable

import click

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import numpy as np
import tensorflow as tf

_IN, _OUT = 384, 1536
Product = Callable[[tf.Tensor], tf.Tensor]


@click.command()
@click.option("--tokens", "counts", multiple=True, type=int, default=[27, 900], show_default=True)
@click.option("--times", type=int, default=60, show_default=True)
def main(counts: tuple[int, ...], times: int) -> None:
    """Print milliseconds and the error of each, as Markdown."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    draw = np.random.default_rng(1)
    kernel = draw.normal(scale=0.05, size=[_IN, _OUT]).astype(np.float32)
    products = {name: tf.function(one) for name, one in _products(kernel).items()}
    heads = [f"{count} tokens: ms | over float32 | off by" for count in counts]
    print(f"| [tokens, {_IN}] by [{_IN}, {_OUT}] | {' | '.join(heads)} |")
    print("|---" * (1 + 3 * len(counts)) + "|")
    inputs = [draw.normal(size=[count, _IN]).astype(np.float32) for count in counts]
    plain: list[float] = []  # of float32, the first
    for name, product in products.items():
        spent, cells = [_median_ms(product, x, times) for x in inputs], []
        plain = plain or spent
        for x, ms, base in zip(inputs, spent, plain, strict=True):
            right = x @ kernel
            error = np.abs(product(tf.constant(x)).numpy() - right).max() / np.abs(right).max()
            cells += [f"{ms:.2f}", f"{ms / base:.2f}", f"{error:.0e}"]
        print(f"| {name} | {' | '.join(cells)} |")


def _products(kernel: np.ndarray) -> dict[str, Product]:
    """[tokens, in] ▶ [tokens, out], float32 each."""
    weights = tf.Variable(kernel)
    lower = tf.constant(tf.cast(kernel, tf.bfloat16).numpy())
    scale = np.abs(kernel).max(0) / 127
    whole = tf.Variable(np.round(kernel / scale).astype(np.int8))

    def bfloat16(x: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.matmul(tf.cast(x, tf.bfloat16), lower), tf.float32)

    return {
        "float32": lambda x: tf.matmul(x, weights),
        "bfloat16": bfloat16,
        "int8 weights, float32 again at every call": lambda x: (
            tf.matmul(x, tf.cast(whole, tf.float32)) * scale
        ),
        "int8 weights and tokens, QuantizedMatMul": lambda x: _quantized(x, tf.constant(kernel)),
    }


def _quantized(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    (a, *of_a), (b, *of_b) = (
        tf.raw_ops.QuantizeV2(
            input=one, min_range=tf.reduce_min(one), max_range=tf.reduce_max(one),
            T=tf.quint8, mode="MIN_FIRST",
        )
        for one in (x, kernel)
    )  # fmt: skip
    y, low, high = tf.raw_ops.QuantizedMatMul(
        a=a, b=b, min_a=of_a[0], max_a=of_a[1], min_b=of_b[0], max_b=of_b[1], Toutput=tf.qint32
    )
    return tf.raw_ops.Dequantize(input=y, min_range=low, max_range=high, mode="MIN_FIRST")


def _median_ms(product: Product, x: np.ndarray, times: int) -> float:
    given, spent = tf.constant(x), []
    for _ in range(times):
        start = time.perf_counter()
        product(given)
        spent.append(1000 * (time.perf_counter() - start))
    return float(np.median(spent))


if __name__ == "__main__":
    main()

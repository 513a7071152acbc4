"""Models saved by Keras 3: read without Keras, as a torch module and, where it can say it, as a net spec."""

from unrolled.nets.keras.convert import KerasImport, from_keras

__all__ = ["KerasImport", "from_keras"]

"""Errors of the kernels.

KernelError
├── ShapeError      sizes of the arguments do not fit together        (also a ValueError)
├── DtypeError      element type not supported there                  (also a TypeError)
├── LayoutError     strides or devices not supported                  (also a ValueError)
├── LengthError     lengths, pages or slots outside what the cache holds (also a ValueError)
└── BackendError    the backend asked for cannot run here             (also a RuntimeError)
"""


class KernelError(Exception):
    """Base of everything this package raises on purpose."""


class ShapeError(KernelError, ValueError):
    """Sizes of the arguments do not fit together."""


class DtypeError(KernelError, TypeError):
    """The element type is not supported by the backend."""


class LayoutError(KernelError, ValueError):
    """Strides or devices are not supported; the message says what to call first."""


class LengthError(KernelError, ValueError):
    """A length, page or slot lies outside what the cache or the table holds."""


class BackendError(KernelError, RuntimeError):
    """The backend asked for cannot run on this machine or these tensors."""

"""Host functions: logging, panics, tracing, other runtimes' versions, and indices that are not kept."""

from __future__ import annotations

from llmnet.devnode.errors import RuntimeFault
from llmnet.devnode.host.registry import HostCall, HostRefusedError, host_function, log_level
from llmnet.devnode.scale import option
from llmnet.devnode.wasm import plain_code
from llmnet.devnode.wasm_binary import custom_section


def _text(host: HostCall, span: int) -> str:
    return host.instance.read_span(span).decode(errors="replace")


@host_function("ext_logging_log_version_1")
def log(host: HostCall, level: int, target: int, message: int) -> None:
    host.log(level & 0xFF, _text(host, target), _text(host, message))


@host_function("ext_logging_max_level_version_1")
def max_level(_host: HostCall) -> int:
    return log_level()


@host_function("ext_panic_handler_abort_on_panic_version_1")
def abort_on_panic(host: HostCall, message: int) -> None:
    raise HostRefusedError(_text(host, message))


@host_function("ext_misc_print_num_version_1")
def print_num(host: HostCall, number: int) -> None:
    host.log(4, "runtime", str(number & 0xFFFFFFFFFFFFFFFF))


@host_function("ext_misc_print_utf8_version_1")
def print_utf8(host: HostCall, text: int) -> None:
    host.log(4, "runtime", _text(host, text))


@host_function("ext_misc_print_hex_version_1")
def print_hex(host: HostCall, data: int) -> None:
    host.log(4, "runtime", host.instance.read_span(data).hex())


@host_function("ext_misc_runtime_version_version_1")
def runtime_version(host: HostCall, code: int) -> int:
    """The version that a runtime blob carries in its custom section, as an option."""
    try:
        version = custom_section(plain_code(host.instance.read_span(code)), "runtime_version")
    except RuntimeFault as error:
        host.log(4, "runtime", f"no version can be read from the given code: {error}")
        version = None
    return host.instance.allocate_span(option(version))


@host_function("ext_wasm_tracing_enabled_version_1")
def tracing_enabled(_host: HostCall, _metadata: int) -> int:
    return 0


@host_function("ext_wasm_tracing_enter_span_version_1")
def tracing_enter_span(_host: HostCall, _attributes: int) -> int:
    return 0


@host_function("ext_wasm_tracing_event_version_1")
def tracing_event(_host: HostCall, _event: int) -> None:
    """Tracing is off, so events have no receiver."""


@host_function("ext_wasm_tracing_exit_version_1")
def tracing_exit(_host: HostCall, _span: int) -> None:
    """Tracing is off, so spans have no receiver."""


@host_function("ext_transaction_index_index_version_1")
def transaction_index(_host: HostCall, _extrinsic: int, _size: int, _hash: int) -> None:
    """Bodies are kept whole, so there is nothing to index."""


@host_function("ext_transaction_index_renew_version_1")
def transaction_index_renew(_host: HostCall, _extrinsic: int, _hash: int) -> None:
    """As `transaction_index`."""


@host_function("ext_storage_proof_size_storage_proof_size_version_1")
def storage_proof_size(_host: HostCall) -> int:
    """Parachain runtimes ask how much their proof has grown; the largest number says that none is recorded."""
    return -1

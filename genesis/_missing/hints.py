"""Sentences for names of PyTorch's that Genesis does not have and that deserve more than the nearest name.

The key is a path below ``torch``; ``"fft.*"`` stands for all names in a module that has none of its own.
"""

from __future__ import annotations

_NO_COMPLEX = "there are no complex types; keep the real and the imaginary part in two tensors"
_NO_QUANTIZED = "there are no quantized types; the nearest is genesis.float32"
_NO_SPARSE = (
    "there are no sparse tensors; the nearest is a dense tensor with index_select, gather and scatter_add"
)
_NO_GRAPH = "nothing is compiled or traced; the nearest is the module or function itself, which runs as it is"
_NO_STORAGE = "storages are not visible; the nearest is Tensor.data_ptr() and Tensor.nbytes"
_NO_DOWNLOAD = "nothing is downloaded; the nearest is genesis.load_checkpoint for a file that you have"
_OTHER_WAYS = "the nearest is nn.parallel.DistributedDataParallel: a whole model in each process"
_NO_EXPORT = "the nearest is genesis.save_checkpoint, which writes safetensors that other programs read"
_FFT = (
    "the nearest is NumPy: genesis.from_numpy(numpy.fft.rfft(x.detach().numpy()).real), without gradients "
    "and in two parts, for there are no complex types"
)
_DISTRIBUTIONS = (
    "the nearest is a genesis.distributions.TransformedDistribution of a distribution that is here, or a "
    "subclass of genesis.distributions.Distribution with sample and log_prob"
)
_SUMMARY = (
    "the nearest is the tensorboard package with its own writer, or a CSV file as `genesis train` writes"
)

HINTS: dict[str, str] = {
    # modules
    "ao": _NO_QUANTIZED,
    "compiler.*": _NO_GRAPH,
    "distributions.*": _DISTRIBUTIONS,
    "export": _NO_EXPORT,
    "fft": _FFT,
    "fft.*": _FFT,
    "futures": "the nearest is concurrent.futures of the standard library",
    "quasirandom": "the nearest is scipy.stats.qmc.Sobol with genesis.from_numpy",
    "return_types": "the nearest is the result itself, a named tuple with .values and .indices",
    "fx": _NO_GRAPH,
    "hub": _NO_DOWNLOAD,
    "library": "the nearest is genesis.ops.op, which declares an operation with its gradient",
    "masked": "the nearest is genesis.where or Tensor.masked_fill with a mask of your own",
    "monitor": "the nearest is a callback or a CSV file of your own",
    "nested": "the nearest is genesis.nn.utils.rnn.pad_sequence and a mask",
    "onnx": _NO_EXPORT,
    "package": "the nearest is a Python package and genesis.save_checkpoint",
    "quantization": _NO_QUANTIZED,
    "sparse": _NO_SPARSE,
    "utils.tensorboard": _SUMMARY,
    "utils.bottleneck": "the nearest is cProfile of the standard library",
    "utils.cpp_extension": "the nearest is a device plugin or a kernel in Python: docs/plugins/kernels.md",
    "utils.mobile_optimizer": _NO_EXPORT,
    "utils.model_zoo": _NO_DOWNLOAD,
    # types of numbers
    "complex": _NO_COMPLEX,
    **dict.fromkeys(("polar", "view_as_real", "view_as_complex", "stft", "istft"), _NO_COMPLEX),
    **dict.fromkeys(("Tensor.stft", "Tensor.istft", "Tensor.chalf", "Tensor.cfloat"), _NO_COMPLEX),
    **dict.fromkeys(("Tensor.cdouble", "view_as_real_copy", "view_as_complex_copy"), _NO_COMPLEX),
    **dict.fromkeys(
        ("Tensor.q_scale", "Tensor.q_zero_point", "Tensor.int_repr", "Tensor.dequantize"), _NO_QUANTIZED
    ),
    **dict.fromkeys(
        ("qint8", "quint8", "qint32", "quantize_per_tensor", "quantize_per_channel"), _NO_QUANTIZED
    ),
    # kinds of tensors
    **dict.fromkeys(
        ("sparse_coo_tensor", "sparse_csr_tensor", "Tensor.to_sparse", "Tensor.coalesce"), _NO_SPARSE
    ),
    **dict.fromkeys(
        ("Tensor.to_sparse_csr", "Tensor.sparse_mask", "Tensor.indices", "Tensor.values"), _NO_SPARSE
    ),
    "nn.EmbeddingBag.sparse": _NO_SPARSE,
    "optim.SparseAdam": (
        "gradients are dense; the nearest is genesis.optim.Adam, which also moves what has the gradient 0"
    ),
    **dict.fromkeys(
        ("Storage", "UntypedStorage", "TypedStorage", "FloatStorage", "Tensor.storage"), _NO_STORAGE
    ),
    **dict.fromkeys(("Tensor.untyped_storage", "Tensor.storage_type", "Tensor.is_shared"), _NO_STORAGE),
    "Tensor.share_memory_": "processes share no tensors; the nearest is multiprocessing.shared_memory",
    "Tensor.names": "axes have no names; the nearest is their number",
    "Tensor.rename": "axes have no names; the nearest is their number",
    "Tensor.refine_names": "axes have no names; the nearest is their number",
    # graphs
    "jit.*": _NO_GRAPH,
    **dict.fromkeys(
        ("jit.load", "jit.save"), "nothing is compiled; the nearest is genesis.save of the model"
    ),
    "autograd.forward_ad": "derivatives go backward; the nearest is genesis.autograd.functional.jvp",
    "func.functionalize": _NO_GRAPH,
    "cond": "the nearest is Python's if",
    "while_loop": "the nearest is Python's while",
    # processes and devices
    "nn.parallel.*": _OTHER_WAYS,
    "distributed.*": _OTHER_WAYS,
    "cuda.CUDAGraph": _NO_GRAPH,
    "cuda.graph": _NO_GRAPH,
    "cuda.graphs": _NO_GRAPH,
    "serialization": "the nearest is genesis.load, with weights_only=False for files that you trust",
    **dict.fromkeys(
        ("cuda.get_device_properties", "cuda.mem_get_info", "cuda.memory_summary"),
        "the memory of a device is not asked about; the nearest is genesis.cuda.get_device_name",
    ),
    "cuda.nvtx": "the nearest is genesis.profiler.record_function",
    # training
    "overrides": "a subclass of Tensor is not asked about functions; the nearest is a function of your own",
    "overrides.*": "a subclass of Tensor is not asked about functions; the nearest is a function of your own",
    **dict.fromkeys(
        ("utils.data.models", "utils.data.ops", "utils.data.io"),
        "torchvision's models and operations are not here; the nearest is the network in the script itself, "
        "and genesis.load for its weights in a .pth file",
    ),
    "utils.data.datapipes": "the nearest is genesis.data.Dataset",
    "utils.benchmark": "the nearest is timeit of the standard library",
    "utils.benchmark.*": "the nearest is timeit of the standard library",
    "utils.bundled_inputs": _NO_GRAPH,
    "utils.flop_counter": "the nearest is genesis.profiler.profile",
    "utils.collect_env": "the nearest is the command `genesis plugins doctor`",
    "utils.dlpack": "the nearest is genesis.from_dlpack",
    "testing.make_tensor": "the nearest is genesis.empty(...).uniform_(low, high)",
    "testing.assert_allclose": "the nearest is genesis.testing.assert_close",
}

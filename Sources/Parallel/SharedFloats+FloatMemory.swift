public import Kernels
public import MPI

extension SharedFloats: FloatMemory {}

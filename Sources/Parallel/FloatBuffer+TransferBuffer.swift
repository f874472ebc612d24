public import Kernels
public import MPI

// The elements are on the heap and stay there when the buffer moves.
extension FloatBuffer: TransferBuffer {}

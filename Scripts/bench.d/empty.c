// What starting two ranks costs without doing anything: the floor under `time to the first step`.
#include <mpi.h>

int main(int count, char **arguments) {
  MPI_Init(&count, &arguments);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
}

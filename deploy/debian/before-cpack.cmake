# Read by cpack before it makes the package. Without these tools it would leave out Depends, with no more than a warning.
find_program(SHLIBDEPS dpkg-shlibdeps)
find_program(FILE_COMMAND file)
if(NOT SHLIBDEPS OR NOT FILE_COMMAND)
  message(FATAL_ERROR "the package needs dpkg-shlibdeps and file: deploy/install-packages package")
endif()

# SPDX-License-Identifier: MIT
# The package: install rules, and the same package straight from the build tree, so that
# find_package(PtoWsp) works with PtoWsp_DIR=<build folder> too. An install tree can be moved.
include_guard(GLOBAL)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/PtoWsp")
install(TARGETS ptowsp_gen ptowsp_run ptowsp_tool ptowsp_sim ptowsp_glue_c ptowsp_headers EXPORT PtoWspTargets
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/runtime_glue/include/ptowsp"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/runtime_glue/sim/include/"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ptowsp/sim")
install(EXPORT PtoWspTargets NAMESPACE PtoWsp:: DESTINATION "${package_dir}")
set(function_files AddWorkload Arguments Device ExternalPaths FindPython HostGenerator
  InstallArtifact InstallWorkload KernelList ReservedNames Test Tools)
list(TRANSFORM function_files REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/cmake/PtoWsp\\1.cmake")
install(FILES ${function_files} "${PROJECT_SOURCE_DIR}/cmake/PtoWspWorkloadConfig.cmake.in"
  "${PROJECT_SOURCE_DIR}/cmake/README.md"
  DESTINATION "${package_dir}")

write_basic_package_version_file("${PROJECT_BINARY_DIR}/PtoWspConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
_ptowsp_refuse_other_processors("${PROJECT_BINARY_DIR}/PtoWspConfigVersion.cmake")
set(PTOWSP_FUNCTION_FILE "\${CMAKE_CURRENT_LIST_DIR}/PtoWspAddWorkload.cmake")
set(PTOWSP_PYTHON_PACKAGES "${CMAKE_INSTALL_DATADIR}/ptowsp/python")
set(PTOWSP_BRIDGE "${CMAKE_INSTALL_DATADIR}/ptowsp/pto_runtime")
set(PTOWSP_INCLUDE "${CMAKE_INSTALL_INCLUDEDIR}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/PtoWspConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/install/PtoWspConfig.cmake" INSTALL_DESTINATION "${package_dir}"
  PATH_VARS PTOWSP_PYTHON_PACKAGES PTOWSP_BRIDGE PTOWSP_INCLUDE)
install(FILES "${PROJECT_BINARY_DIR}/install/PtoWspConfig.cmake"
  "${PROJECT_BINARY_DIR}/PtoWspConfigVersion.cmake" DESTINATION "${package_dir}")

export(EXPORT PtoWspTargets NAMESPACE PtoWsp:: FILE "${PROJECT_BINARY_DIR}/PtoWspTargets.cmake")
set(PTOWSP_FUNCTION_FILE "${PROJECT_SOURCE_DIR}/cmake/PtoWspAddWorkload.cmake")
set(PTOWSP_PYTHON_PACKAGES python)
set(PTOWSP_BRIDGE share/ptowsp/pto_runtime)
set(PTOWSP_INCLUDE "${PROJECT_SOURCE_DIR}/runtime_glue/include")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/PtoWspConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/PtoWspConfig.cmake" INSTALL_DESTINATION "${PROJECT_BINARY_DIR}"
  INSTALL_PREFIX "${PROJECT_BINARY_DIR}" PATH_VARS PTOWSP_PYTHON_PACKAGES PTOWSP_BRIDGE PTOWSP_INCLUDE)

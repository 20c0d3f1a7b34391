# The Debian package: `cpack` in the build folder makes it (see README.md here).
#
# Included by the CMakeLists.txt of the root. What only makes sense at its place in a Debian system
# is in the component `debian`, which `cmake --install` leaves out.

find_program(AWK NAMES mawk gawk awk)
find_program(GZIP gzip)
if(NOT AWK OR NOT GZIP)
  message(STATUS "No package and no manual page: awk or gzip is missing")
  return()
endif()
set(package_sources ${CMAKE_CURRENT_LIST_DIR})
set(package_files ${CMAKE_CURRENT_BINARY_DIR}/package_files)
file(MAKE_DIRECTORY ${package_files})

# The manual page and the completion know every flag: they are made from the program's own list.
set(command_line ${CMAKE_CURRENT_SOURCE_DIR}/exporter/COMMAND_LINE.md)
set(fill_in ${AWK} -f ${package_sources}/command-line.awk -v version=${PROJECT_VERSION} ${command_line})
add_custom_command(OUTPUT ${package_files}/shortcircuit-exporter.1.gz
  COMMAND ${fill_in} ${package_sources}/shortcircuit-exporter.1.in > ${package_files}/shortcircuit-exporter.1
  COMMAND ${GZIP} -9nf ${package_files}/shortcircuit-exporter.1
  DEPENDS ${command_line} ${package_sources}/command-line.awk ${package_sources}/shortcircuit-exporter.1.in)
add_custom_command(OUTPUT ${package_files}/shortcircuit-exporter
  COMMAND ${fill_in} ${package_sources}/completion.bash.in > ${package_files}/shortcircuit-exporter
  DEPENDS ${command_line} ${package_sources}/command-line.awk ${package_sources}/completion.bash.in)

execute_process(COMMAND ${git_here} log -1 --format=%cD
                OUTPUT_VARIABLE revision_date OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT revision_date)
  set(revision_date "Thu, 1 Jan 1970 00:00:00 +0000")
endif()
set(package_maintainer "ShortCircuit exporter <shortcircuit-exporter@localhost>")
configure_file(${package_sources}/changelog.in ${package_files}/changelog @ONLY)
add_custom_command(OUTPUT ${package_files}/changelog.gz
  COMMAND ${GZIP} -9nc ${package_files}/changelog > ${package_files}/changelog.gz
  DEPENDS ${package_files}/changelog)
add_custom_target(package_files ALL DEPENDS ${package_files}/shortcircuit-exporter.1.gz
                  ${package_files}/shortcircuit-exporter ${package_files}/changelog.gz)

install(FILES ${package_files}/shortcircuit-exporter.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${package_files}/shortcircuit-exporter
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
set(shared_data ${CMAKE_INSTALL_DATAROOTDIR}/shortcircuit-exporter)
install(FILES deploy/prometheus/shortcircuit.rules.yml DESTINATION ${shared_data}/prometheus)
file(GLOB dashboard_files CONFIGURE_DEPENDS dashboards/*.json)
install(FILES ${dashboard_files} DESTINATION ${shared_data}/dashboards)

# Every document, what they link to, what they tell to copy and what opens Traefik's API lie as in the repository: links and
# these commands hold. The other commands of deploy/README.md need a checkout, as it says.
set(documents ${CMAKE_INSTALL_DATAROOTDIR}/doc/shortcircuit-exporter)
file(GLOB_RECURSE document_files RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS
  dashboards/*.md dashboards/pictures/*.png deploy/*.md deploy/alertmanager/*.yml deploy/grafana/*.yaml
  deploy/kubernetes/examples/k3s/traefik-*.yaml deploy/prometheus/*.yml deploy/systemd/*.socket deploy/tls/*.conf
  exporter/*.md rules/*.md rules/alerts/*.yaml rules/recording/*.yaml tests/*.md)
foreach(file README.md CONTRIBUTING.md tests/recordings/night/shortcircuit.yaml ${document_files})
  cmake_path(GET file PARENT_PATH folder)
  install(FILES ${file} DESTINATION ${documents}/${folder})
endforeach()
# Puts the reader's own addresses into the rules (rules/README.md).
install(PROGRAMS rules/generate DESTINATION ${documents}/rules)

macro(install_debian)
  install(FILES ${ARGN} COMPONENT debian EXCLUDE_FROM_ALL)
endmacro()
install_debian(${package_sources}/copyright ${package_files}/changelog.gz DESTINATION ${documents})
install_debian(deploy/systemd/shortcircuit-exporter.service DESTINATION /usr/lib/systemd/system)
install_debian(deploy/systemd/shortcircuit.yaml DESTINATION /etc/shortcircuit-exporter)
install_debian(deploy/systemd/default DESTINATION /etc/default RENAME shortcircuit-exporter)

set(CPACK_GENERATOR DEB)
set(CPACK_PROJECT_CONFIG_FILE ${package_sources}/before-cpack.cmake)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${package_maintainer}")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_COMPONENTS_ALL Unspecified debian)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME shortcircuit-exporter)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "names what is broken between cluster, mesh and storage")
set(CPACK_PACKAGE_DESCRIPTION "Reads Kubernetes, Traefik, Headscale, tailscaled, etcd and LINSTOR, joins
them, and names every broken link of every route at once, each with the
command that mends it: as metrics for Prometheus, as a status page, and on
the command line.
.
The service starts with a configuration that looks at nothing:
/etc/shortcircuit-exporter/shortcircuit.yaml.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${package_sources}/conffiles ${package_sources}/postinst ${package_sources}/prerm ${package_sources}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror)
add_compile_options(-fno-omit-frame-pointer -fstack-protector-strong)
add_link_options(-fuse-ld=lld-19 -Wl,--as-needed)
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -gline-tables-only -DNDEBUG -D_FORTIFY_SOURCE=2 -ffunction-sections")
add_link_options($<$<CONFIG:RelWithDebInfo>:-Wl,--gc-sections>)
add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
# libstdc++ 12's <expected> asks for a newer __cpp_concepts than clang announces, though clang has the feature.
add_compile_options(-D__cpp_concepts=202002L -Wno-builtin-macro-redefined)

if(DOORWARD_SANITIZE)
  add_compile_options(-fsanitize=${DOORWARD_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DOORWARD_SANITIZE})
endif()
if(DOORWARD_LIBFUZZER)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

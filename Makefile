# Ordem: one Makefile for everything; everything that it makes is under build/.
#
#   make V=1                            shows the commands
#   make DEBUG=1                        unoptimised, into build/debug
#   make SANITIZE=address,undefined     with sanitizers, into build/sanitize-address-undefined (also thread)

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

comma := ,
variant := $(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))$(if $(DEBUG),/debug)
OUT := build$(variant)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))

CC := $(if $(filter default,$(origin CC)),cc,$(CC))
# llhttp is a library in Debian 13; Debian 12 and Ubuntu 24.04 have its C sources.
llhttp = $(eval llhttp := $$(shell pkg-config --exists libllhttp && echo libllhttp))$(llhttp)
llhttp_sources := /usr/share/llhttp
llhttp_objects := $(addprefix $(OUT)/obj/llhttp/,api.o http.o llhttp.o)
# msgpack-c was called msgpack before its version 6.
msgpack = $(eval msgpack := $$(shell pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack))$(msgpack)
libraries = $(llhttp) $(msgpack) libzmq libuv yajl libedit librabbitmq libssl libcrypto libnghttp2 sqlite3 zlib libsodium libjwt
# Asked only when something is compiled: `make setup` must run before pkg-config is there.
library_cflags = $(eval library_cflags := $$(shell pkg-config --cflags $(libraries)))$(library_cflags)
library_libs = $(eval library_libs := $$(shell pkg-config --libs $(libraries)))$(library_libs)

CPPFLAGS += -I. -D_GNU_SOURCE $(library_cflags) $(if $(llhttp),,-isystem /usr/share/include/llhttp)
CFLAGS ?= -g $(if $(DEBUG),-O0,-O2)
ALL_CFLAGS = -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR) $(CFLAGS) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_LDFLAGS = $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -Wl,--as-needed
compile = $(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
link = $(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
objects = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

# ---- what there is ----

core_sources := $(wildcard common/*.c)
net_sources := $(wildcard common/net/*.c common/term/*.c)
lab_sources := $(wildcard common/lab/*.c)
# The pure files of paxos, which its simulation and its unit tests are made of too.
paxos_rules := $(addprefix paxos/, \
	acceptor.c \
	ballot.c \
	client_history.c client_request.c latencies.c \
	command_json.c command_name.c \
	coordinator.c \
	fields.c writes.c \
	kept.c \
	learner.c learner_state.c \
	message_json.c message_json_fields.c message_json_value.c message_json_write.c \
	messages.c \
	paxos_actions.c \
	proposer.c proposer_lead.c proposer_read.c \
	reads.c \
	resources.c \
	sessions.c \
	snapshot.c \
	store.c \
	value.c)
paxos_processes := $(filter-out $(paxos_rules),$(wildcard paxos/*.c))
parts := parte1 parte2 parte3 parte4 parte5
folder_of = $(wildcard $(1)-*)
sources_of = $(wildcard $(call folder_of,$(1))/*.c)
unit_tests := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/test_*.c))
sim_tests := $(patsubst %.c,$(OUT)/%,$(wildcard tests/sim/test_*.c))
sim_objects := $(addprefix $(OUT)/obj/tests/sim/,simulation.o log_edit.o made_logs.o made_run.o) \
	$(OUT)/obj/parte1-multicast/order.o
tested_sims := $(if $(filter thread,$(SANITIZE)),,$(sim_tests)) # which have but one thread
broker_sims := $(foreach part,parte2 parte3 parte4,$(OUT)/tests/sim/test_$(part))
paxos_sims := $(OUT)/tests/sim/test_paxos
broker_model := $(filter-out $(wildcard tests/sim/broker_parte*.c),$(wildcard tests/sim/broker_*.c))
# What of parte5 needs no network: messages to and from bytes, and the rules.
chat_codec := $(wildcard parte5-chat/chat_message*.c parte5-chat/pack*.c)
chat_rules := $(addprefix parte5-chat/,accounts.c berkeley.c bully.c change.c chat.c chat_read.c coordination.c lamport.c \
	lease.c names.c reference.c replication.c replication_primary.c)
chat_secrets := $(addprefix parte5-chat/,passwords.c token_key.c tokens.c)
chat_sources := $(chat_codec) $(chat_rules) $(chat_secrets)
chat_objects := $(call objects,$(chat_sources))
chat_disk := $(call objects,$(wildcard parte5-chat/store*.c))
chat_volume := $(chat_disk) $(call objects,$(addprefix parte5-chat/,lock_file.c members.c reign.c))
chat_units := $(filter $(OUT)/tests/unit/test_chat_%,$(unit_tests))
chat_sims := $(filter $(OUT)/tests/sim/test_chat_%,$(sim_tests))
chat_model := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard tests/sim/chat_*.c) \
	$(addprefix tests/sim/broker_,schedule.c seeds.c store.c))
script_tests := $(wildcard tests/e2e/test_*.py tests/interop/test_*.py)
ifdef SANITIZE # which find nothing in words and pages, and make the matrix's clocks meaningless
script_tests := $(filter-out $(addprefix tests/e2e/test_,lab_demo.py parte5_readme.py paxos_page.py paxos_readme.py \
	readme.py report.py words.py),$(script_tests))
endif
long_tests := $(addprefix tests/e2e/test_,amqp.py readme.py lab_run.py report.py broker.py) # first: none is left for the end
script_tests := $(filter $(long_tests),$(script_tests)) $(filter-out $(long_tests),$(script_tests))
fuzzers := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
bench_programs := $(patsubst %.c,$(OUT)/%,$(filter-out tests/bench/pipeline.c,$(wildcard tests/bench/*.c)))
tool_programs := $(patsubst %.c,$(OUT)/%,$(wildcard tests/tools/*.c))

# What programs print in Portuguese, in the folder `locale` beside them.
catalogue := $(OUT)/locale/pt_BR/LC_MESSAGES/ordem.mo

core_library := $(OUT)/libcore.a
net_library := $(OUT)/libnet.a
lab_library := $(OUT)/liblab.a
paxos_library := $(OUT)/libpaxos.a
programs := $(addprefix $(OUT)/,$(parts) paxos lab)

##@ Building
.PHONY: help all
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

all: $(programs) $(catalogue) ## everything that there is so far

.PHONY: parte1 parte2 parte3 parte4 parte5 paxos lab
parte1: $(OUT)/parte1 ## UDP multicast, no order
parte2: $(OUT)/parte2 ## many publishers through RabbitMQ, no total order
parte3: $(OUT)/parte3 ## a sequencer, total order
parte4: $(OUT)/parte4 ## a leader, total order with fewer messages
paxos: $(OUT)/paxos ## Multi-Paxos: total order that survives any minority
lab: $(OUT)/lab ## runs a part, judges logs
parte5: $(OUT)/parte5 ## a chat: clocks, elections and replication, put together

define part_rule
$(OUT)/$(1): $(call objects,$(call sources_of,$(1))) $(net_library) $(core_library) | $(catalogue)
	$$(call say,LINK,$$@)
	$$(link) $$(library_libs) -lm
endef
$(foreach part,$(parts),$(eval $(call part_rule,$(part))))

$(OUT)/paxos: $(call objects,$(paxos_processes)) $(OUT)/obj/paxos/page/page.o $(paxos_library) $(net_library) $(core_library) | $(catalogue)
	$(call say,LINK,$@)
	$(link) $(library_libs) -lm

$(OUT)/lab: $(lab_library) $(net_library) $(core_library) | $(catalogue)
	$(call say,LINK,$@)
	$(link) $(library_libs) -lm

$(core_library): $(call objects,$(core_sources))
$(net_library): $(call objects,$(net_sources)) $(llhttp_objects)
$(lab_library): $(call objects,$(lab_sources)) $(OUT)/obj/common/lab/page/page.o $(chat_objects) # whose clients speak the chat
$(paxos_library): $(call objects,$(paxos_rules))
$(core_library) $(net_library) $(lab_library) $(paxos_library): Makefile # which says what is in them
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(OUT)/obj/%.o: %.c | ready
	$(call say,CC,$<)
	$(compile)

$(catalogue): po/pt_BR.po | ready
	$(call say,MSGFMT,$@)
	$(Q)mkdir -p $(@D) && msgfmt --check-format --check-domain --output-file=$@ $<

# The pages of the report and of paxos's client, their texts as bytes of the programs.
pages := $(addprefix $(OUT)/obj/,common/lab/page/page.o paxos/page/page.o)
$(OUT)/obj/common/lab/page/page.o: $(wildcard common/lab/page/*.css common/lab/page/*.js)
$(OUT)/obj/paxos/page/page.o: $(wildcard paxos/page/*.html paxos/page/*.css paxos/page/*.js)
$(pages): $(OUT)/obj/%.o: %.S | ready
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D) && $(CC) -c -o $@ $<

# Empty where llhttp is a library.
$(llhttp_objects): $(OUT)/obj/llhttp/%.o: | ready
	$(call say,CC,$(llhttp_sources)/$*.c)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -w -x c -c -o $@ $(if $(llhttp),/dev/null,$(llhttp_sources)/$*.c)

# Only when a compiler or a library is missing is anything installed, and only for demo and test.
.PHONY: ready
ready:
	@$(if $(setup_groups),tools/setup --check $(setup_groups) || tools/setup $(setup_groups),:)

##@ Running
.PHONY: demo run
demo: setup_groups = build run
demo: $(programs) ## shows replicas diverge, on this machine, in a few seconds
	@$(OUT)/lab demo

##@ Testing
.PHONY: test unit sim e2e test-docker test-seeds fuzz bench lint lessons
test: setup_groups = build run test
test: $(programs) $(unit_tests) $(tested_sims) $(tool_programs) ## unit tests, simulations, and the real programs end to end
	@BUILD=$(OUT) tests/run $(unit_tests) $(tested_sims) $(script_tests)

sim: setup_groups = build test
sim: $(OUT)/tests/sim/test_paxos ## Paxos under N=100000 random schedules; says how many a second
	@PAXOS_SCHEDULES=$(or $(N),100000) $(OUT)/tests/sim/test_paxos

test-docker: ## the compositions, in real containers, one at a time (needs Docker and Compose)
	@JOBS=1 tests/run $(wildcard tests/e2e/docker_*.py)

test-seeds: setup_groups = build run test
test-seeds: $(programs) ## 100 seeds for each part, 100 schedules of kills for Paxos, 100 kills in the chat (half an hour)
	@BUILD=$(OUT) tests/run tests/e2e/seeds.py tests/e2e/paxos_kills.py tests/e2e/chat_kills.py

fuzz: setup_groups = build fuzz
fuzz: $(fuzzers) ## libFuzzer on everything that parses bytes from outside, FUZZ_SECONDS=60 each
	@tests/fuzz/run $(fuzzers)

bench: setup_groups = build run bench
bench: $(programs) $(bench_programs) $(OUT)/tests/tools/kv_single ## ratios against reference programs, in one run
	@BUILD=$(OUT) python3 tests/bench/bench.py

lint: setup_groups = build run test lint
lint: | ready ## clang-format, clang-tidy, cppcheck, and warnings as errors
	@CC="$(CC)" CPPFLAGS="$(CPPFLAGS)" tools/lint

lessons: ## the diffs of order.c from part to part, with their sizes
	@tools/lessons

unit_libraries := $(paxos_library) $(lab_library) $(net_library) $(core_library)
$(filter-out $(chat_units),$(unit_tests)): $(OUT)/tests/unit/%: $(OUT)/obj/tests/unit/%.o $(unit_libraries)
	$(call say,LINK,$@)
	$(link) $(library_libs) $$(pkg-config --libs cmocka) -lm

$(filter-out $(broker_sims) $(chat_sims) $(paxos_sims),$(sim_tests)): $(OUT)/tests/sim/%: $(OUT)/obj/tests/sim/%.o $(sim_objects) $(unit_libraries)
	$(call say,LINK,$@)
	$(link) $(library_libs) $$(pkg-config --libs cmocka) -lm

$(paxos_sims): $(OUT)/tests/sim/%: $(OUT)/obj/tests/sim/%.o $(call objects,$(wildcard tests/sim/paxos_*.c)) \
		$(paxos_library) $(lab_library) $(core_library)
	$(call say,LINK,$@)
	$(link) $(library_libs) $$(pkg-config --libs cmocka) -lm

# The rules of all parts have the same names: each simulation is linked with those of its own.
define broker_sim_rule
$(OUT)/tests/sim/test_$(1): $(OUT)/obj/tests/sim/test_$(1).o $(call objects,$(broker_model) $(wildcard tests/sim/broker_$(1)*.c \
		$(addprefix $(call folder_of,$(1))/,order.c sequencer.c sequence.c)) tests/sim/made_logs.c) $(lab_library) $(core_library)
	$$(call say,LINK,$$@)
	$$(link) $$(library_libs) $$$$(pkg-config --libs cmocka) -lm
endef
$(foreach part,parte2 parte3 parte4,$(eval $(call broker_sim_rule,$(part))))

$(OUT)/tests/unit/test_chat_store: $(chat_disk)
$(addprefix $(OUT)/tests/unit/test_chat_,lock_file reign): $(chat_volume) $(net_library)
$(chat_units): $(OUT)/tests/unit/%: $(OUT)/obj/tests/unit/%.o $(chat_objects) $(core_library)
	$(call say,LINK,$@)
	$(link) $(library_libs) $$(pkg-config --libs cmocka) -lm

$(chat_sims): $(OUT)/tests/sim/%: $(OUT)/obj/tests/sim/%.o $(chat_model) $(chat_objects) $(core_library)
	$(call say,LINK,$@)
	$(link) $(library_libs) $$(pkg-config --libs cmocka) -lm

$(OUT)/tests/bench/paxos_blaster: $(OUT)/obj/tests/bench/pipeline.o
$(addprefix $(OUT)/tests/bench/,chat_blaster fan_out): $(chat_objects)
$(OUT)/tests/bench/make_history: $(chat_objects) $(call objects,$(wildcard parte5-chat/store*.c))
$(bench_programs): $(OUT)/tests/bench/%: $(OUT)/obj/tests/bench/%.o $(net_library) $(core_library)
	$(call say,LINK,$@)
	$(link) $(library_libs) -lm

$(tool_programs): $(OUT)/tests/tools/%: $(OUT)/obj/tests/tools/%.o $(net_library) $(core_library)
	$(call say,LINK,$@)
	$(link) $(library_libs) -lm

# Fuzzers are whole programs built by clang, library and all, so that every branch of ours is seen.
fuzzed_sources := $(core_sources) $(filter-out common/lab/report_html% common/lab/report_command.c,$(filter $(addprefix common/lab/,judge% history% linearizability% report% \
	causality.c log_record.c log_source.c log_text_line.c names.c tell.c),$(lab_sources))) \
	$(addprefix common/net/,grpc_frame.c grpc_status.c kv_client_line.c kv_request.c http_query.c)
build/fuzz/fuzz_recovery: also = common/net/recovery.c # the fuzzer stands in for what it calls
build/fuzz/fuzz_paxos_command: also = paxos/command_json.c paxos/command_name.c
build/fuzz/fuzz_paxos_message: also = $(addprefix paxos/,ballot.c command_json.c command_name.c message_json.c \
	message_json_fields.c message_json_value.c message_json_write.c messages.c value.c)
build/fuzz/fuzz_paxos_pages: also = $(addprefix paxos/,command_json.c command_name.c fields.c learner_state.c reads.c \
	resources.c sessions.c snapshot.c writes.c)
build/fuzz/fuzz_chat_%: also = $(chat_sources)
build/fuzz/%: tests/fuzz/%.c $(fuzzed_sources) $(chat_sources) $(wildcard common/*.h common/lab/*.h common/net/*.h \
		parte5-chat/*.h) | ready
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D) && clang $(CPPFLAGS) -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $< $(fuzzed_sources) $(also) $(library_libs) -lm

##@ Housekeeping
.PHONY: setup words pictures clean
setup: ## installs the Debian or Ubuntu packages that are missing (sudo when not root)
	@tools/setup build run test bench lint fuzz

words: ## brings po/pt_BR.po up to date with the sources; what has no translation yet is empty there
	@tools/words

pictures: setup_groups = build run test
pictures: $(programs) ## makes the READMEs' pictures anew, from real runs (needs Chromium)
	@BUILD=$(OUT) tools/pictures

clean: ## removes build/
	rm -rf build

-include $(wildcard $(shell test -d $(OUT) && find $(OUT) -name '*.d'))

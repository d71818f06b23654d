// SPDX-License-Identifier: GPL-2.0-only
/* PCI topologies, and the IOMMU groups that the kernel makes of them. */
#include "tests/fake_pci.h"

#include "harness/isolation.h"

#define ROOT "0000:00:1c.0"
#define PORT .type = PCI_EXP_TYPE_ROOT_PORT, .bridge = true
#define UPSTREAM .type = PCI_EXP_TYPE_UPSTREAM, .bridge = true
#define DOWNSTREAM .type = PCI_EXP_TYPE_DOWNSTREAM, .bridge = true
#define TO_PCI .type = PCI_EXP_TYPE_PCI_BRIDGE, .bridge = true
#define ENDPOINT .type = PCI_EXP_TYPE_ENDPOINT
#define INTEGRATED .type = PCI_EXP_TYPE_RC_END
#define NONE .group = NO_GROUP

/* Functions with the same label share a group, others do not. */
struct topology_case {
	const char *what;
	struct fake_function functions[9];
};

static const struct topology_case cases[] = {
	{ "ACS all the way",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', UPSTREAM, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0", 'c', DOWNSTREAM, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0/0000:02:01.0", 'd', DOWNSTREAM, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0/0000:03:00.0", 'e', ENDPOINT, NONE },
	    { ROOT "/0000:01:00.0/0000:02:01.0/0000:04:00.0", 'f', ENDPOINT, NONE } } },
	{ "downstream ports without ACS share with what is below them",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', UPSTREAM, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0", 'c', DOWNSTREAM, NONE },
	    { ROOT "/0000:01:00.0/0000:02:01.0", 'd', DOWNSTREAM, ACS_OFF, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0/0000:03:00.0", 'c', ENDPOINT, NONE },
	    { ROOT "/0000:01:00.0/0000:02:01.0/0000:04:00.0", 'd', ENDPOINT, NONE } } },
	{ "a root port without ACS takes the whole switch",
	  { { ROOT, 'a', PORT, NONE },
	    { ROOT "/0000:01:00.0", 'a', UPSTREAM, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0", 'a', DOWNSTREAM, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0/0000:02:01.0", 'a', DOWNSTREAM, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0/0000:03:00.0", 'a', ENDPOINT, NONE },
	    { ROOT "/0000:01:00.0/0000:02:01.0/0000:04:00.0", 'a', ENDPOINT, NONE },
	    { "0000:00:02.0", 'b', INTEGRATED, NONE } } },
	{ "an upstream port that is one of several functions needs ACS, too",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', UPSTREAM, .multi = true, NONE },
	    { ROOT "/0000:01:00.1", 'b', ENDPOINT, .multi = true, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0", 'b', DOWNSTREAM, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0/0000:03:00.0", 'b', ENDPOINT, NONE } } },
	{ "root ports of one device without ACS share all below them",
	  { { "0000:00:1c.0", 'a', PORT, .multi = true, NONE },
	    { "0000:00:1c.4", 'a', PORT, .multi = true, NONE },
	    { "0000:00:1c.0/0000:01:00.0", 'a', ENDPOINT, NONE },
	    { "0000:00:1c.4/0000:02:00.0", 'a', ENDPOINT, NONE },
	    { "0000:00:1d.0", 'b', PORT, ACS_ON, NONE },
	    { "0000:00:1d.0/0000:03:00.0", 'c', ENDPOINT, NONE } } },
	{ "devices behind a PCIe-to-PCI bridge are one with it",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', TO_PCI, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0", 'b', CONVENTIONAL, NONE },
	    { ROOT "/0000:01:00.0/0000:02:01.0", 'b', CONVENTIONAL, NONE } } },
	{ "and behind a conventional bridge, on any bus",
	  { { "0000:00:1e.0", 'a', CONVENTIONAL, .bridge = true, NONE },
	    { "0000:00:1e.0/0000:01:00.0", 'a', CONVENTIONAL, NONE },
	    { "0000:00:1e.0/0000:01:01.0", 'a', CONVENTIONAL, .bridge = true, NONE },
	    { "0000:00:1e.0/0000:01:01.0/0000:02:00.0", 'a', CONVENTIONAL, NONE },
	    { "0000:00:03.0", 'b', CONVENTIONAL, NONE },
	    { "0000:00:04.0", 'c', CONVENTIONAL, NONE } } },
	{ "functions of a conventional device are together",
	  { { "0000:00:1f.0", 'a', CONVENTIONAL, .multi = true, NONE },
	    { "0000:00:1f.2", 'a', CONVENTIONAL, .multi = true, NONE },
	    { "0000:00:1f.3", 'a', CONVENTIONAL, NONE } } },
	{ "functions of a device are together unless they have ACS",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', ENDPOINT, .multi = true, NONE },
	    { ROOT "/0000:01:00.1", 'b', ENDPOINT, .multi = true, NONE },
	    { "0000:00:1d.0", 'c', PORT, ACS_ON, NONE },
	    { "0000:00:1d.0/0000:02:00.0", 'd', ENDPOINT, .multi = true, ACS_ON, NONE },
	    { "0000:00:1d.0/0000:02:00.1", 'e', ENDPOINT, .multi = true, ACS_ON, NONE } } },
	{ "those that have it stay out, switched off it does not count",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', ENDPOINT, .multi = true, ACS_ON, NONE },
	    { ROOT "/0000:01:00.1", 'c', ENDPOINT, .multi = true, NONE },
	    { ROOT "/0000:01:00.2", 'c', ENDPOINT, .multi = true, ACS_OFF, NONE } } },
	{ "a function 1 counts as one of several, a function 0 without the bit does not",
	  { { "0000:00:05.0", 'a', INTEGRATED, NONE },
	    { "0000:00:05.1", 'b', INTEGRATED, NONE },
	    { "0000:00:05.2", 'b', INTEGRATED, NONE } } },
	{ "virtual functions never are, the physical one may be",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', ENDPOINT, .multi = true, NONE },
	    { ROOT "/0000:01:00.1", 'b', ENDPOINT, .multi = true, NONE },
	    { ROOT "/0000:01:00.2", 'c', ENDPOINT, NONE, .physfn = "0000:01:00.0" },
	    { ROOT "/0000:01:10.0", 'd', ENDPOINT, NONE, .physfn = "0000:01:00.0" },
	    { ROOT "/0000:01:10.1", 'e', ENDPOINT, NONE, .physfn = "0000:01:00.0" },
	    { ROOT "/0000:02:00.0", 'f', ENDPOINT, NONE, .physfn = "0000:01:00.1" } } },
	{ "but a port without ACS above them joins them",
	  { { ROOT, 'a', PORT, NONE },
	    { ROOT "/0000:01:00.0", 'a', ENDPOINT, NONE },
	    { ROOT "/0000:01:10.0", 'a', ENDPOINT, NONE, .physfn = "0000:01:00.0" } } },
	{ "features that cannot be controlled are hard-wired",
	  { { ROOT, 'a', PORT, NONE, .acs = { true, PCI_ACS_SV | PCI_ACS_RR, 0xff } },
	    { ROOT "/0000:01:00.0", 'b', ENDPOINT, NONE },
	    { "0000:00:1d.0", 'c', PORT, NONE, .acs = { true, 0, 0 } },
	    { "0000:00:1d.0/0000:02:00.0", 'd', ENDPOINT, NONE } } },
	{ "each of the required features counts, the others do not",
	  { { ROOT, 'a', PORT, NONE, .acs = { true, 0x7f, ACS_REQUIRED & ~PCI_ACS_RR } },
	    { ROOT "/0000:01:00.0", 'a', ENDPOINT, NONE },
	    { "0000:00:1d.0", 'b', PORT, NONE, .acs = { true, 0x7f, ACS_REQUIRED & ~PCI_ACS_UF } },
	    { "0000:00:1d.0/0000:02:00.0", 'b', ENDPOINT, NONE },
	    { "0000:00:1e.0", 'c', PORT, NONE, .acs = { true, 0x7f, ACS_REQUIRED } },
	    { "0000:00:1e.0/0000:03:00.0", 'd', ENDPOINT, NONE } } },
	{ "a switch that names its ports the wrong way round",
	  { { ROOT, 'a', PORT, ACS_ON, NONE },
	    { ROOT "/0000:01:00.0", 'b', DOWNSTREAM, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0", 'c', UPSTREAM, NONE },
	    { ROOT "/0000:01:00.0/0000:02:00.0/0000:03:00.0", 'c', ENDPOINT, NONE } } },
	{ "what a VMD hides has its requester ID",
	  { { "0000:00:0e.0", 'a', INTEGRATED, NONE },
	    { "0000:00:0e.0/pci10000:e0/10000:e0:01.0", 'a', PORT, ACS_ON, NONE },
	    { "0000:00:0e.0/pci10000:e0/10000:e0:01.0/10000:e1:00.0", 'a', ENDPOINT, NONE } } },
	{ "what the IOMMU does not translate takes no part",
	  { { "0000:00:02.0", 'a', INTEGRATED, .multi = true, .group = 1 },
	    { "0000:00:02.1", 'b', INTEGRATED, .multi = true, NONE },
	    { "0000:00:02.2", 'a', INTEGRATED, .multi = true, .group = 1 } } },
};

struct isolation_state {
	struct pcitree tree;
	struct isolation_groups groups;
};

static void load(struct isolation_state *s)
{
	pcitree_load(&s->tree);
	isolation_predict(&s->tree, &s->groups);
}

static void unload(struct isolation_state *s)
{
	isolation_free(&s->groups);
	pcitree_free(&s->tree);
}

static int group_of(const struct isolation_state *s, const char *bdf)
{
	size_t node = pcitree_find(&s->tree, bdf);

	assert_int_not_equal(node, PCITREE_NONE);
	return s->groups.members[node].group;
}

static void check_case(const struct topology_case *c)
{
	struct isolation_state s;

	for (size_t i = 0; c->functions[i].path; i++)
		fake_function(&c->functions[i]);
	load(&s);
	for (size_t i = 0; c->functions[i].path; i++)
		for (size_t k = 0; k < i; k++) {
			const char *one = fake_bdf(&c->functions[i]);
			const char *other = fake_bdf(&c->functions[k]);
			bool together = group_of(&s, one) == group_of(&s, other);

			if (together != (c->functions[i].label == c->functions[k].label))
				fail_msg("%s: %s and %s are %s", c->what, one, other,
					 together ? "together" : "apart");
		}
	unload(&s);
}

static void test_topologies(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(tree_setup(state), 0);
		check_case(&cases[i]);
		assert_int_equal(tree_teardown(state), 0);
	}
}

/* --- why --- */

static const struct isolation_member *member(const struct isolation_state *s, const char *bdf)
{
	return &s->groups.members[pcitree_find(&s->tree, bdf)];
}

static void assert_member(const struct isolation_state *s, const char *bdf,
			  enum isolation_cause cause, const char *culprit, const char *with)
{
	const struct isolation_member *m = member(s, bdf);

	assert_int_equal(m->cause, cause);
	assert_int_equal(m->culprit, culprit ? pcitree_find(&s->tree, culprit) : PCITREE_NONE);
	assert_int_equal(m->with, with ? pcitree_find(&s->tree, with) : PCITREE_NONE);
}

static void test_causes(void **state)
{
	static const struct fake_function functions[] = {
		{ ROOT, 0, PORT, ACS_OFF, NONE },
		{ ROOT "/0000:01:00.0", 0, UPSTREAM, NONE },
		{ ROOT "/0000:01:00.0/0000:02:00.0", 0, DOWNSTREAM, ACS_ON, NONE },
		{ "0000:00:1e.0", 0, CONVENTIONAL, .bridge = true, NONE },
		{ "0000:00:1e.0/0000:05:00.0", 0, CONVENTIONAL, NONE },
		{ "0000:00:1f.0", 0, CONVENTIONAL, .multi = true, NONE },
		{ "0000:00:1f.2", 0, CONVENTIONAL, .multi = true, NONE },
	};
	struct isolation_state s;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		fake_function(&functions[i]);
	load(&s);
	assert_member(&s, ROOT, CAUSE_NONE, NULL, NULL);
	/* The port at the root is to blame, however far above it is. */
	assert_member(&s, "0000:02:00.0", CAUSE_PATH, ROOT, "0000:01:00.0");
	assert_member(&s, "0000:05:00.0", CAUSE_ALIAS, "0000:00:1e.0", "0000:00:1e.0");
	assert_member(&s, "0000:00:1f.2", CAUSE_FUNCTION, "0000:00:1f.2", "0000:00:1f.0");
	unload(&s);
}

static void assert_text(const struct isolation_state *s, const char *bdf,
			enum isolation_verdict verdict, const char *text)
{
	const struct pcitree_node *node = &s->tree.nodes[pcitree_find(&s->tree, bdf)];
	autofree char *found = isolation_text(node);

	assert_int_equal(isolation_of(node), verdict);
	assert_string_equal(found, text);
}

static void test_texts(void **state)
{
	static const struct fake_function functions[] = {
		{ ROOT, 0, PORT, ACS_ON, NONE },
		{ "0000:00:1c.1", 0, PORT, NONE, .acs = { true, 0x7f, PCI_ACS_SV | PCI_ACS_UF } },
		{ "0000:00:1c.2", 0, PORT, NONE },
		{ "0000:00:03.0", 0, CONVENTIONAL, NONE },
		{ "0000:00:04.0", 0, TO_PCI, NONE },
		{ "0000:00:05.0", 0, INTEGRATED, NONE },
		{ "0000:00:06.0", 0, .type = PCI_EXP_TYPE_RC_EC, NONE },
		{ "0000:00:07.0", 0, ENDPOINT, NONE },
		{ "0000:00:08.0", 0, PORT, ACS_ON, NONE },
	};
	uint8_t bytes[PCICONF_MAX];
	struct isolation_state s;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		fake_function(&functions[i]);
	fake_space(&functions[7], bytes);
	fake_config("0000:00:07.0", bytes, PCI_STD_HEADER_SIZEOF);
	fake_space(&functions[8], bytes);
	bytes[0x103] = 0x04; /* the extended list points below itself: ACS is not found */
	fake_config("0000:00:08.0", bytes, sizeof(bytes));
	load(&s);
	assert_text(&s, ROOT, ISOLATION_ON, "isolates by ACS");
	assert_text(&s, "0000:00:1c.1", ISOLATION_OFF, "has ACS with RR CR off");
	assert_text(&s, "0000:00:1c.2", ISOLATION_NO_CAPABILITY, "has no ACS capability");
	assert_text(&s, "0000:00:03.0", ISOLATION_CONVENTIONAL,
		    "is on a shared bus, which has no ACS");
	assert_text(&s, "0000:00:04.0", ISOLATION_BRIDGE, "cannot have ACS, being such a bridge");
	assert_text(&s, "0000:00:05.0", ISOLATION_NOT_NEEDED, "needs no ACS");
	assert_text(&s, "0000:00:06.0", ISOLATION_BRIDGE, "cannot have ACS, being such a bridge");
	assert_text(&s, "0000:00:07.0", ISOLATION_UNKNOWN, "needs root to see its ACS");
	assert_text(&s, "0000:00:08.0", ISOLATION_NO_CAPABILITY,
		    "its extended capability list points below it");
	unload(&s);
}

/* --- the kernel's groups --- */

static enum isolation_match match(const struct isolation_state *s, const char *bdf)
{
	return isolation_compare(&s->tree, &s->groups, pcitree_find(&s->tree, bdf));
}

/* Two pairs of port and endpoint; groups of the kernel's, and whether the ports have ACS. */
static void put_pairs(const int groups[4], bool acs)
{
	static const char *const paths[] = { ROOT, ROOT "/0000:01:00.0", "0000:00:1d.0",
					     "0000:00:1d.0/0000:02:00.0" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct fake_function function = {
			paths[i], .type = i % 2 ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_ROOT_PORT,
			.bridge = i % 2 == 0, ACS_ON, .group = groups[i]
		};

		function.acs.present = acs;
		fake_function(&function);
	}
}

static void assert_matches(const int groups[4], bool acs, enum isolation_match first,
			   enum isolation_match second)
{
	struct isolation_state s;
	void *state = NULL;

	assert_int_equal(tree_setup(&state), 0);
	put_pairs(groups, acs);
	load(&s);
	assert_int_equal(match(&s, "0000:01:00.0"), first);
	assert_int_equal(match(&s, "0000:02:00.0"), second);
	unload(&s);
	assert_int_equal(tree_teardown(&state), 0);
}

static void test_matches(void **state)
{
	static const int apart[] = { 1, 2, 3, 4 }, pairs[] = { 1, 1, 3, 3 };
	static const int all[] = { 1, 1, 1, 1 }, crossed[] = { 1, 2, 2, 3 },
			 none[] = { -1, -1, -1, -1 };

	assert_matches(apart, true, MATCH_SAME, MATCH_SAME);
	assert_matches(pairs, false, MATCH_SAME, MATCH_SAME);
	assert_matches(apart, false, MATCH_SMALLER, MATCH_SMALLER);
	assert_matches(all, false, MATCH_LARGER, MATCH_LARGER);
	assert_matches(pairs, true, MATCH_LARGER, MATCH_LARGER);
	assert_matches(crossed, false, MATCH_OTHER, MATCH_SMALLER);
	assert_matches(none, false, MATCH_UNKNOWN, MATCH_UNKNOWN);
}

/* Where a configuration space cannot be read, nothing is claimed of groups that it decides. */
static void test_unknown(void **state)
{
	static const int pairs[] = { 1, 1, 3, 3 };
	struct isolation_state s;
	uint8_t bytes[PCICONF_MAX] = { 0 };

	put_pairs(pairs, false);
	bytes[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	fake_config(ROOT, bytes, PCI_STD_HEADER_SIZEOF);
	load(&s);
	assert_false(isolation_known(&s.tree, pcitree_find(&s.tree, "0000:01:00.0")));
	assert_int_equal(match(&s, "0000:01:00.0"), MATCH_UNKNOWN);
	assert_int_equal(match(&s, "0000:02:00.0"), MATCH_SAME);
	unload(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topologies), TEST(test_causes),  TEST(test_texts),
		cmocka_unit_test(test_matches),	   TEST(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
